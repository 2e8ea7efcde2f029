"""MCP servers that need no peer: what was added is kept, with the tools that a test gives."""

from collections.abc import Callable, Sequence

from ourcli.app.desks.mcp import ServerEntry
from ourcli.common.errors import NotFoundError
from ourcli.tools.servers import Browser, KnownServer, McpServer, RemoteTool, check_server, offered


class FakeMcp:
    """The facade's side of MCP servers without a peer.

    Args:
        begin: Told what is called, with what; may raise.
    """

    def __init__(self, begin: Callable[..., None]) -> None:
        self._begin = begin
        self.tools: tuple[RemoteTool, ...] = (RemoteTool(name="add", description="Adds two numbers"),)
        self.known: dict[str, KnownServer] = {}
        self.problem = ""

    async def add(self, server: McpServer, browser: Browser | None = None) -> ServerEntry:
        """Keep a server."""
        self._begin("mcp.add", server, browser)
        check_server(server)
        old = self.known.get(server.name)
        before = old.tools if old and old.tools != self.tools else None
        known = KnownServer(server=server, tools=self.tools, revision="2026-07-28", before=before)
        self.known[server.name] = known
        return ServerEntry(known=known, offer=offered(known))

    async def all(self, *, name: str = "", check: bool = False) -> Sequence[ServerEntry]:
        """Return what was kept."""
        self._begin("mcp.all", name, check)
        if name and name not in self.known:
            raise NotFoundError(f"no MCP server {name!r}")
        found = [self.known[name]] if name else list(self.known.values())
        return [ServerEntry(known=one, offer=offered(one), problem=self.problem) for one in found]

    async def remove(self, name: str) -> None:
        """Forget a server."""
        self._begin("mcp.remove", name)
        if self.known.pop(name, None) is None:
            raise NotFoundError(f"no MCP server {name!r}")
