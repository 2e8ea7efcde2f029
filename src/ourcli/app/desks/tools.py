"""The facade's side of tools: find plugins, show tools, call one, check a plugin."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
from anyio import to_thread

from ourcli.app.desks.rights import ChangedRights, Request, RightsDesk, Terms
from ourcli.app.tools.builtin_source import open_history
from ourcli.app.tools.calling import ToolCalls
from ourcli.app.tools.granting import open_grants, open_policy
from ourcli.app.tools.guards import worker_guards
from ourcli.app.tools.plugin_source import PluginSource
from ourcli.app.tools.recording import Recorder
from ourcli.app.tools.sources import open_sources
from ourcli.app.wiring import LateEmbedder, Rooms
from ourcli.common.errors import OurcliError, PluginError, ToolError
from ourcli.common.events import EventSink, NullSink, ToolLogged
from ourcli.tools.capabilities import Capability
from ourcli.tools.data import JsonObject
from ourcli.tools.gathering import Gathered, NamedSource, gather
from ourcli.tools.plugin_lock import Added
from ourcli.tools.plugins import Plugin, load_plugin
from ourcli.tools.ports import Grants, Previews, ToolContext, ToolResult
from ourcli.tools.registry import Registry
from ourcli.tools.runner import ToolRunner
from ourcli.tools.searching import GivenTools, ToolSearch
from ourcli.tools.spec import Origin, ToolSpec
from ourcli.tools.standing import OnceGrants
from ourcli.tools.undo import FileHistory

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
    """A plugin as commands show it.

    Attributes:
        plugin: What it is.
        granted: The rights that hold now for exactly these bytes.
        asked: Why a person has to agree before it runs at all, or "".
    """

    plugin: Plugin
    granted: tuple[Capability, ...]
    asked: str = ""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    """How a tool is called.

    Attributes:
        session: The conversation, or "".
        once: Rights that a person granted for this call only.
        by_policy: It has the rights of the policy alone, whatever else was granted.
    """

    session: str = ""
    once: frozenset[Capability] = frozenset()
    by_policy: bool = False


_PLAINLY: Final = Calling()


class ToolDesk:
    """What commands ask about tools. Nothing is read, compiled or started before it is needed.

    Args:
        rooms: Home, clock, bus, and the way to be closed.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._plugins = PluginSource(rooms)
        self._grants, book = open_grants(rooms)
        self._policy = open_policy(rooms)
        self._rights = RightsDesk(rooms, self._plugins, book, self._grants)
        self._search = ToolSearch(LateEmbedder(rooms))
        self._sources = (
            *open_sources(rooms, self._plugins),
            NamedSource(name="the search of tools", source=GivenTools(self._search)),
        )
        self._gathered: Gathered | None = None
        self._runner: ToolRunner | None = None
        self._opening = anyio.Lock()

    @property
    def history(self) -> FileHistory:
        """What tools did to files, and the way back."""
        return open_history(self._rooms)

    async def _all(self) -> Gathered:
        async with self._opening:
            if self._gathered is None:
                self._gathered = await gather(self._sources)
                self._search.over(self._gathered.registry)
            return self._gathered

    async def _registry(self) -> Registry:
        return (await self._all()).registry

    async def runner(self) -> ToolCalls:
        """Return what calls the tools of all sources with the grants in force, made once; nobody is asked."""
        if self._runner is None:
            self._runner = self._runner_with(await self._registry(), self._grants)
        return self._runner

    async def unattended(self, name: str) -> bool:
        """Say whether the policy gives a tool's origin any right; then it may be called with `by_policy`.

        Raises:
            NotFoundError: There is no such tool.
        """
        return bool(await self._policy.granted((await self._registry()).get(name).spec().origin))

    async def once(self, origin: Origin, more: frozenset[Capability]) -> ToolCalls:
        """Return what calls tools, `origin` having `more` rights than stand; made for one call."""
        return self._runner_with(await self._registry(), OnceGrants(self._grants, origin, more))

    def _runner_with(self, registry: Registry, grants: Grants) -> ToolRunner:
        return ToolRunner(registry, grants, clock=self._rooms.clock, sink=self._rooms.bus)

    async def all(self) -> ToolShelf:
        """Return every tool, and what is wrong with plugins and servers that cannot be used."""
        gathered = await self._all()
        entries = [await self._entry(tool.spec(), "") for tool in gathered.registry]
        return ToolShelf(tools=tuple(entries), problems=gathered.problems)

    async def show(self, name: str, session: str = "") -> ToolEntry:
        """Return one tool, with the rights that hold in this session.

        Raises:
            NotFoundError: There is none of that name.
            ToolClashError: There are several.
        """
        return await self._entry((await self._registry()).get(name).spec(), session)

    async def _entry(self, spec: ToolSpec, session: str) -> ToolEntry:
        return ToolEntry(spec=spec, granted=tuple(sorted(await self._grants.granted(spec.origin, session))))

    async def preview(self, name: str, input: JsonObject, calling: Calling = _PLAINLY) -> str:  # noqa: A002
        """Return what a call would change, as text for people, or "" when the tool cannot tell; change nothing.

        Raises:
            CapabilityDeniedError: It may not be done, or not even looked at.
            ToolError: It cannot be done.
        """
        tool = (await self._registry()).get(name)
        spec = tool.spec()
        if not isinstance(tool, Previews):
            return ""
        grants, origin = self._grants_for(spec, calling), spec.origin
        context = replace(
            self._context(calling),
            granted=await grants.granted(origin, calling.session),
            quotas=await grants.quotas(origin, calling.session),
        )
        return await tool.preview(input, context)

    async def call(
        self,
        name: str,
        input: JsonObject,  # noqa: A002
        listen: EventSink = _QUIET,
        calling: Calling = _PLAINLY,
    ) -> ToolResult:
        """Call a tool once and remember the call; `listen` is told each line of its log.

        Raises:
            NotFoundError: There is no such tool.
            CapabilityDeniedError: It requests a right that nobody granted.
            ToolError: The call failed.
        """
        context = replace(self._context(calling), log=self._teller(name, listen))
        calls = await self.runner()
        if calling.by_policy:
            calls = self._runner_with(await self._registry(), self._policy)
        elif calling.once:
            calls = await self.once(calls.registry.get(name).spec().origin, calling.once)
        return await Recorder(self._rooms).call(calls, name, input, context)

    def _grants_for(self, spec: ToolSpec, calling: Calling) -> Grants:
        return OnceGrants(self._grants, spec.origin, calling.once) if calling.once else self._grants

    def _context(self, calling: Calling) -> ToolContext:
        return ToolContext(session=calling.session, project=self._rooms.settings.project)

    async def request(self, name: str, more: Sequence[Capability] = (), session: str = "") -> Request:
        """Return what a tool lacks of what it requests and of `more`, with all that a person should know about it."""
        registry = await self._registry()
        return await self._rights.request(registry.get(name).spec(), more, session, registry)

    async def grant(self, name: str, rights: Sequence[Capability], terms: Terms) -> ChangedRights:
        """Grant rights to a tool's origin, to a plugin, a group of built-in tools or a server."""
        return await self._rights.grant(name, rights, terms, await self._registry())

    async def revoke(self, name: str, rights: Sequence[Capability] | None = None) -> ChangedRights:
        """Take rights back, None for all."""
        return await self._rights.revoke(name, rights, await self._registry())

    def _teller(self, name: str, listen: EventSink) -> Callable[[str], None]:
        def tell(line: str) -> None:
            listen.emit(ToolLogged(at=self._rooms.clock.now(), tool=name, origin="", text=line))

        return tell

    async def plugins(self) -> PluginShelf:
        """Return every plugin, and what is wrong with those that cannot be used."""
        found = await self._plugins.discovered()
        entries = [
            PluginEntry(
                plugin=plugin,
                granted=tuple(sorted(await self._grants.granted(plugin.origin))),
                asked=found.asked.get(plugin.name, ""),
            )
            for plugin in found.plugins
        ]
        return PluginShelf(plugins=tuple(entries), problems=found.problems)

    async def add_plugin(self, source: Path, *, replace: bool = False) -> Added:
        """Add a plugin from a folder or an archive; it has no right until it is granted one.

        Raises:
            PluginError: It cannot be used; nothing was added.
            InvalidInputError: There is one of that name, and it is not to be replaced.
        """
        added = await to_thread.run_sync(partial(self._plugins.store.add, source, replace=replace))
        self._forget()
        return added

    async def remove_plugin(self, name: str) -> tuple[Capability, ...]:
        """Remove a plugin and all that it was granted; return that.

        Raises:
            NotFoundError: No plugin of that name stands in this home.
        """
        await to_thread.run_sync(self._plugins.store.remove, name)
        self._forget()
        return await self._rights.forget(name)

    def _forget(self) -> None:
        self._plugins.forget()
        self._gathered = self._runner = None

    async def guards(self) -> tuple[str, ...]:
        """Return what holds the workers of plugins in on this machine, by name."""
        return await worker_guards(self._plugins)

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
