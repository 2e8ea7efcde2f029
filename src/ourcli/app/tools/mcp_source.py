"""The source of MCP servers' tools: what they said when they were last asked; a call connects, a list does not."""

import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from anyio import to_thread

from ourcli.app.tools.needs import ToolRooms
from ourcli.tools.ports import Tool
from ourcli.tools.servers import Browser, KnownServer, Offered, RemoteTool, offered

if TYPE_CHECKING:
    from ourcli.tools.backends.mcp.host import McpHost
    from ourcli.tools.backends.mcp.server_file import ServerFile

_log = logging.getLogger(__name__)


def open_server_file(rooms: ToolRooms) -> "ServerFile":
    """Return the file of the servers that the user added."""
    from ourcli.tools.backends.mcp.server_file import ServerFile  # deferred: only those who use tools pay for it

    return ServerFile(rooms.home.mcp_servers)


def open_host(rooms: ToolRooms, browser: Browser | None = None) -> "McpHost":
    """Return what speaks with servers; nothing is connected yet.

    Args:
        rooms: The gate, and where logins are kept.
        browser: Shows the page of a login; None when nobody can log in now.
    """
    from ourcli.tools.backends.mcp.host import McpHost  # deferred: the SDK costs half a second
    from ourcli.tools.backends.mcp.opening import Opener  # deferred: the same

    return McpHost(Opener(gate=rooms.gate, tokens=rooms.home.mcp_tokens, browser=browser))


class McpSource:
    """Tools of the servers that the user added.

    Args:
        rooms: Home, gate, and the way to be closed.
    """

    def __init__(self, rooms: ToolRooms) -> None:
        self._rooms = rooms
        self._host: McpHost | None = None

    async def _offered(self) -> list[tuple[KnownServer, Offered]]:
        if not self._rooms.home.mcp_servers.exists():
            return []
        return await to_thread.run_sync(self._read)

    def _read(self) -> list[tuple[KnownServer, Offered]]:
        return [(known, offered(known)) for known in open_server_file(self._rooms).read()]

    async def tools(self) -> Sequence[Tool]:
        """Return the tools of all servers as they were when the servers were last asked.

        Raises:
            ConfigError: The file of the servers cannot be used.
        """
        from ourcli.tools.backends.mcp.tool import McpTool  # deferred: only homes with servers pay for it

        found: list[Tool] = []
        for known, offer in await self._offered():
            for note in offer.notes:
                _log.info("the schema of %s was simplified: %s", *note.split(": ", 1))
            found += [
                McpTool(known, name, spec, caller=self._caller, changed=partial(self._changed, known))
                for name, spec in offer.specs.items()
            ]
        return found

    async def problems(self) -> Sequence[str]:
        """Return which tools cannot be used and why."""
        return [line for _, offer in await self._offered() for line in offer.problems]

    def _caller(self) -> "McpHost":
        if self._host is None:
            self._host = open_host(self._rooms)
            self._rooms.on_close(self._host.aclose)
        return self._host

    def _changed(self, known: KnownServer, tools: tuple[RemoteTool, ...]) -> None:
        open_server_file(self._rooms).put(known.server, tools, known.revision)
