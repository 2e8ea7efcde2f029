"""What the command line needs of MCP servers: `ourcli.app.desks.mcp.McpDesk` is it; tests use a fake."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ourcli.app.desks.mcp import ServerEntry
    from ourcli.tools.servers import Browser, McpServer


class McpServers(Protocol):
    """The MCP servers that the user added."""

    async def add(self, server: "McpServer", browser: "Browser | None" = ...) -> "ServerEntry":
        """Connect to a server, list its tools, and store both."""
        ...

    async def all(self, *, name: str = ..., check: bool = ...) -> "Sequence[ServerEntry]":
        """Return the servers."""
        ...

    async def remove(self, name: str) -> None:
        """Forget a server and the login at it."""
        ...
