"""The facade's side of tools: find plugins, show tools, call one, check a plugin."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
from anyio import to_thread

from ourcli.app.tools.calling import ToolCalls
from ourcli.app.tools.plugin_source import PluginSource
from ourcli.app.tools.sources import open_sources
from ourcli.app.wiring import Rooms
from ourcli.common.errors import OurcliError, PluginError, ToolError
from ourcli.common.events import EventSink, NullSink, ToolLogged
from ourcli.tools.capabilities import Capability
from ourcli.tools.data import JsonObject
from ourcli.tools.gathering import Gathered, gather
from ourcli.tools.plugins import Plugin, load_plugin
from ourcli.tools.ports import Grants, NoGrants, ToolContext, ToolResult
from ourcli.tools.runner import ToolRunner
from ourcli.tools.spec import ToolSpec

if TYPE_CHECKING:
    from ourcli.tools.backends.wasm.host import WasmHost

_QUIET: Final = NullSink()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolEntry:
    """A tool as commands show it.

    Attributes:
        spec: What it is.
        granted: The rights that hold for it now.
    """

    spec: ToolSpec
    granted: tuple[Capability, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolShelf:
    """Every tool there is, and why some plugins gave none."""

    tools: tuple[ToolEntry, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginEntry:
    """A plugin as commands show it; `granted` holds now for exactly these bytes."""

    plugin: Plugin
    granted: tuple[Capability, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginShelf:
    """Every plugin there is, and what is wrong with others."""

    plugins: tuple[PluginEntry, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginCheck:
    """What a look at a plugin found.

    Attributes:
        plugin: What was looked at.
        problems: What is wrong, a line each; empty when it can be used.
        guards: What held the worker in that ran it.
    """

    plugin: Plugin
    problems: tuple[str, ...]
    guards: tuple[str, ...]


class ToolDesk:
    """What commands ask about tools. Nothing is read, compiled or started before it is needed.

    Args:
        rooms: Home, clock, bus, and the way to be closed.
        grants: Who was granted what; None grants nothing to anybody.
    """

    def __init__(self, rooms: Rooms, grants: Grants | None = None) -> None:
        self._rooms, self._grants = rooms, grants or NoGrants()
        self._plugins = PluginSource(rooms)
        self._sources = open_sources(rooms, self._plugins)
        self._gathered: Gathered | None = None
        self._runner: ToolRunner | None = None
        self._opening = anyio.Lock()

    async def _all(self) -> Gathered:
        async with self._opening:
            if self._gathered is None:
                self._gathered = await gather(self._sources)
            return self._gathered

    async def runner(self) -> ToolCalls:
        """Return what calls the tools of all sources, made once."""
        if self._runner is None:
            registry = (await self._all()).registry
            self._runner = ToolRunner(registry, self._grants, clock=self._rooms.clock, sink=self._rooms.bus)
        return self._runner

    async def all(self) -> ToolShelf:
        """Return every tool, and what is wrong with plugins and servers that cannot be used."""
        gathered = await self._all()
        entries = [await self._entry(tool.spec()) for tool in gathered.registry]
        return ToolShelf(tools=tuple(entries), problems=gathered.problems)

    async def show(self, name: str) -> ToolEntry:
        """Return one tool.

        Raises:
            NotFoundError: There is none of that name.
        """
        return await self._entry((await self._all()).registry.get(name).spec())

    async def _entry(self, spec: ToolSpec) -> ToolEntry:
        return ToolEntry(spec=spec, granted=tuple(sorted(await self._grants.granted(spec.origin))))

    async def call(self, name: str, input: JsonObject, listen: EventSink = _QUIET) -> ToolResult:  # noqa: A002
        """Call a tool once; `listen` is told each line of its log.

        Raises:
            NotFoundError: There is no such tool.
            CapabilityDeniedError: It requests a right that nobody granted.
            ToolError: The call failed.
        """
        runner = await self.runner()
        return await runner.call(name, input, ToolContext(log=self._teller(name, listen)))

    def _teller(self, name: str, listen: EventSink) -> Callable[[str], None]:
        def tell(line: str) -> None:
            listen.emit(ToolLogged(at=self._rooms.clock.now(), tool=name, origin="", text=line))

        return tell

    async def plugins(self) -> PluginShelf:
        """Return every plugin, and what is wrong with those that cannot be used."""
        found = await self._plugins.discovered()
        entries = [
            PluginEntry(plugin=plugin, granted=tuple(sorted(await self._grants.granted(plugin.origin))))
            for plugin in found.plugins
        ]
        return PluginShelf(plugins=tuple(entries), problems=found.problems)

    async def check(self, path: Path) -> PluginCheck:
        """Read a plugin folder, compile its module and have it list its tools, without giving it any right.

        Raises:
            PluginError: Its manifest or module cannot be read.
        """
        plugin = await to_thread.run_sync(load_plugin, path)
        host = self._plugins.host()
        try:
            problems = await self._tried(host, plugin)
        except (PluginError, ToolError) as exc:
            problems = (exc.message,)
        return PluginCheck(plugin=plugin, problems=problems, guards=host.guards)

    async def _tried(self, host: "WasmHost", plugin: Plugin) -> tuple[str, ...]:
        await host.compile(plugin)
        if plugin.manifest.is_simple:
            return ()
        try:
            listed = set(await host.listed(plugin))
        except OurcliError as exc:
            return (f"it does not list its tools: {exc.message}",)
        promised = {tool.name for tool in plugin.manifest.tools}
        missing = [f"the manifest names {name!r}, which the module does not list" for name in sorted(promised - listed)]
        more = [f"the module lists {name!r}, which the manifest does not name" for name in sorted(listed - promised)]
        return (*missing, *more)
