"""What the command line needs of tools: `ourcli.app.desks.tools.ToolDesk` is it; tests use a fake."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ourcli.app.desks.rights import ChangedRights, Request, Terms
    from ourcli.app.desks.tools import Calling, PluginCheck, PluginShelf, ToolEntry, ToolShelf
    from ourcli.common.events import EventSink
    from ourcli.tools.capabilities import Capability
    from ourcli.tools.data import JsonObject
    from ourcli.tools.plugin_lock import Added
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

    async def show(self, name: str, session: str = "") -> "ToolEntry":
        """Return one tool."""
        ...

    async def preview(self, name: str, input: "JsonObject", calling: "Calling" = ...) -> str:  # noqa: A002
        """Return what a call would change, or ""."""
        ...

    async def call(
        self,
        name: str,
        input: "JsonObject",  # noqa: A002
        listen: "EventSink" = ...,
        calling: "Calling" = ...,
    ) -> "ToolResult":
        """Call a tool once."""
        ...

    async def request(self, name: str, more: "Sequence[Capability]" = (), session: str = "") -> "Request":
        """Return what a tool lacks, with all that a person should know about it."""
        ...

    async def grant(self, name: str, rights: "Sequence[Capability]", terms: "Terms") -> "ChangedRights":
        """Grant rights."""
        ...

    async def revoke(self, name: str, rights: "Sequence[Capability] | None" = None) -> "ChangedRights":
        """Take rights back, None for all."""
        ...

    async def add_plugin(self, source: Path, *, replace: bool = False) -> "Added":
        """Add a plugin from a folder or an archive."""
        ...

    async def remove_plugin(self, name: str) -> "tuple[Capability, ...]":
        """Remove a plugin and all that it was granted; return that."""
        ...

    async def unattended(self, name: str) -> bool:
        """Say whether the policy gives a tool's origin any right."""
        ...

    async def plugins(self) -> "PluginShelf":
        """Return every plugin, and what is wrong with those that cannot be used."""
        ...

    async def check(self, path: Path) -> "PluginCheck":
        """Look at a plugin folder without giving it any right."""
        ...
