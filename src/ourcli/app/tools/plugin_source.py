"""The source of plugins' tools: finds their folders, and starts the host when the first one is called."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from ourcli.app.tools.needs import ToolRooms
from ourcli.common.errors import PluginError
from ourcli.config.locations import built_plugins
from ourcli.tools.plugins import Discovered, discover
from ourcli.tools.ports import Tool

if TYPE_CHECKING:
    from ourcli.tools.backends.wasm.host import WasmHost


def _discover(folder: Path) -> Discovered:
    """Return the user's plugins and, in a source tree, the samples that `make plugins` built."""
    samples = built_plugins()
    return discover([folder]).over(discover([samples] if samples else []))


class PluginSource:
    """Plugins of this home. Nothing is read, compiled or started before it is needed.

    Args:
        rooms: Home, and the way to be closed.
    """

    def __init__(self, rooms: ToolRooms) -> None:
        self._rooms = rooms
        self._found: Discovered | None = None
        self._host: WasmHost | None = None
        self._looking = anyio.Lock()

    async def discovered(self) -> Discovered:
        """Return the plugins, read once."""
        async with self._looking:
            if self._found is None:
                self._found = await to_thread.run_sync(_discover, self._rooms.home.plugins)
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
            from ourcli.app.worker import worker_command  # deferred: only those who use plugins pay for it
            from ourcli.tools.backends.wasm.compiled import CompiledCache  # deferred: the same
            from ourcli.tools.backends.wasm.host import WasmHost  # deferred: the same
            from ourcli.tools.backends.wasm.orders import SETTINGS  # deferred: the same

            home = self._rooms.home
            cache = CompiledCache(home.compiled, home.compiled_digests, settings=SETTINGS)
            self._host = WasmHost(worker_command(), cache)
            self._rooms.on_close(self._host.aclose)
        return self._host

    async def tools(self) -> Sequence[Tool]:
        """Return the tools of all plugins that can be used.

        Raises:
            PluginError: There are plugins, and they cannot be run here.
        """
        found = await self.discovered()
        return [tool for plugin in found.plugins for tool in self.host().tools(plugin)]

    async def problems(self) -> Sequence[str]:
        """Return what is wrong with the others."""
        return (await self.discovered()).problems
