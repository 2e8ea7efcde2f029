"""The source of plugins' tools: finds their folders, and starts the host when the first one is called."""

import hashlib
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from ourcli.app.tools.asked_first import AskedFirst
from ourcli.app.tools.finding import FoundPlugins, find_plugins
from ourcli.app.tools.needs import ToolRooms
from ourcli.common.errors import PluginError
from ourcli.tools.backends.plugin_store import PluginStore
from ourcli.tools.grants import Facts
from ourcli.tools.manifest import FILE_NAME, MOST_BYTES
from ourcli.tools.plugins import Plugin, read_plain
from ourcli.tools.ports import Tool
from ourcli.tools.spec import Origin, OriginKind

if TYPE_CHECKING:
    from ourcli.tools.backends.wasm.host import WasmHost


class PluginSource:
    """Plugins of this home. Nothing is read, compiled or started before it is needed.

    Args:
        rooms: Home, project, and the way to be closed.
    """

    def __init__(self, rooms: ToolRooms) -> None:
        self._rooms = rooms
        home = rooms.home
        self.store = PluginStore(home.root, home.plugins, home.plugins_lock, clock=rooms.clock)
        self._found: FoundPlugins | None = None
        self._host: WasmHost | None = None
        self._looking = anyio.Lock()

    async def discovered(self) -> FoundPlugins:
        """Return the plugins, read once."""
        async with self._looking:
            if self._found is None:
                self._found = await to_thread.run_sync(find_plugins, self._rooms.home, self._rooms.loaded, self.store)
            return self._found

    def forget(self) -> None:
        """Look again when plugins are asked for next."""
        self._found = None

    def host(self) -> "WasmHost":
        """Return what runs plugins, made once and closed with everything else.

        Raises:
            PluginError: Plugins do not run on this system, or the engine is not installed.
        """
        if self._host is None:
            if sys.platform == "win32":
                raise PluginError("plugins run on Linux and macOS only", hint="use WSL")
            from ourcli.app.tools.memory_access import RoomsMemory  # deferred: the same
            from ourcli.app.tools.web import LateFetcher  # deferred: the same
            from ourcli.app.worker import worker_command  # deferred: only those who use plugins pay for it
            from ourcli.tools.backends.wasm.compiled import CompiledCache  # deferred: the same
            from ourcli.tools.backends.wasm.host import WasmHost  # deferred: the same
            from ourcli.tools.backends.wasm.orders import SETTINGS  # deferred: the same
            from ourcli.tools.host_services import GuestServices  # deferred: the same

            home = self._rooms.home
            cache = CompiledCache(home.compiled, home.compiled_digests, settings=SETTINGS)
            services = GuestServices(LateFetcher(self._rooms.gate), RoomsMemory(self._rooms))
            self._host = WasmHost(worker_command(), cache, services=services, closed=(home.root,))
            self._rooms.on_close(self._host.aclose)
        return self._host

    async def tools(self) -> Sequence[Tool]:
        """Return the tools of all plugins that can be used.

        Raises:
            PluginError: There are plugins, and they cannot be run here.
        """
        found = await self.discovered()
        tools: list[Tool] = []
        for plugin in found.plugins:
            own = self.host().tools(plugin)
            tools += [AskedFirst(tool) for tool in own] if plugin.name in found.asked else own
        return tools

    async def problems(self) -> Sequence[str]:
        """Return what is wrong with the others."""
        return (await self.discovered()).problems

    async def facts(self, origin: Origin) -> Facts | None:
        """Return what a plugin says of itself, as text that can be compared, or None when the origin is no plugin.

        Raises:
            PluginError: Its manifest changed since it was read.
        """
        if origin.kind is not OriginKind.PLUGIN:
            return None
        for plugin in (await self.discovered()).plugins:
            if plugin.origin == origin:
                return await to_thread.run_sync(_facts, plugin)
        return None


def _facts(plugin: Plugin) -> Facts:
    content = read_plain(plugin.folder / FILE_NAME, most_bytes=MOST_BYTES)
    if hashlib.sha256(content).hexdigest() != plugin.manifest_sha256:
        raise PluginError(f"the manifest of {plugin.name!r} changed since it was read", hint="run the command again")
    text = json.dumps(json.loads(content), ensure_ascii=False, indent=2)
    return Facts(
        requested=plugin.manifest.requested(),
        texts={FILE_NAME: text, plugin.module.name: f"sha256 {plugin.module_sha256}"},
    )
