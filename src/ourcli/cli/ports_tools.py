"""What the command line needs of tools: `ourcli.app.desks.tools.ToolDesk` is it; tests use a fake."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ourcli.app.desks.tools import PluginCheck, PluginShelf, ToolEntry, ToolShelf
    from ourcli.app.tools.calling import ToolCalls
    from ourcli.common.events import EventSink
    from ourcli.tools.data import JsonObject
    from ourcli.tools.ports import ToolResult
    from ourcli.tools.undo import FileHistory


class Tools(Protocol):
    """Every tool, and the plugins they come from."""

    @property
    def history(self) -> "FileHistory":
        """What tools did to files, and the way back."""
        ...

    async def all(self) -> "ToolShelf":
        """Return every tool, and what is wrong with plugins that cannot be used."""
        ...

    async def show(self, name: str) -> "ToolEntry":
        """Return one tool."""
        ...

    async def call(self, name: str, input: "JsonObject", listen: "EventSink" = ...) -> "ToolResult":  # noqa: A002
        """Call a tool once."""
        ...

    async def runner(self) -> "ToolCalls":
        """Return what calls them, with the grants in force and nobody to ask."""
        ...

    async def unattended(self, name: str) -> "ToolCalls | None":
        """Return what calls a tool with the rights of the policy alone; None when the policy gives its origin none."""
        ...

    async def plugins(self) -> "PluginShelf":
        """Return every plugin, and what is wrong with those that cannot be used."""
        ...

    async def check(self, path: Path) -> "PluginCheck":
        """Look at a plugin folder without giving it any right."""
        ...
