"""The facade's side of MCP servers: add, look at, remove."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from anyio import to_thread

from ourcli.app.tools.granting import open_grants
from ourcli.app.tools.mcp_source import open_host, open_server_file
from ourcli.app.wiring import Rooms
from ourcli.common.errors import OurcliError
from ourcli.tools.servers import Browser, KnownServer, McpServer, Offered, check_server, offered
from ourcli.tools.spec import Origin, OriginKind

CONNECT_S: Final = 20.0
LOGIN_S: Final = 330.0
"""A person has to log in meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEntry:
    """A server as commands show it.

    Attributes:
        known: What it is and what it said.
        offer: What its tools are here.
        problem: Why it could not be reached just now; "" when it was, or nobody tried.
    """

    known: KnownServer
    offer: Offered
    problem: str = ""


class McpDesk:
    """What commands ask about MCP servers.

    Args:
        rooms: Home and gate.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def add(self, server: McpServer, browser: Browser | None = None) -> ServerEntry:
        """Connect to a server, list its tools, and store both; one that is there already is asked again.

        Args:
            server: How it is reached.
            browser: Shows the page of a login; None when nobody can log in now.

        Raises:
            InvalidInputError: Its name or URL is none.
            NetworkOffError: It is elsewhere and the network is off.
            ToolError: It cannot be reached; nothing was stored.
        """
        check_server(server)
        return await self._asked(placed(server), browser)

    async def _asked(self, server: McpServer, browser: Browser | None = None) -> ServerEntry:
        host = open_host(self._rooms, browser)
        try:
            tools, revision = await host.look(server, LOGIN_S if browser else CONNECT_S)
        finally:
            await host.aclose()
        known = await to_thread.run_sync(open_server_file(self._rooms).put, server, tools, revision)
        return ServerEntry(known=known, offer=offered(known))

    async def all(self, *, name: str = "", check: bool = False) -> Sequence[ServerEntry]:
        """Return the servers.

        Args:
            name: Only this one; "" for all.
            check: Connect to each and list its tools again.

        Raises:
            NotFoundError: There is none of that name.
        """
        file = open_server_file(self._rooms)
        found = [await to_thread.run_sync(file.get, name)] if name else await to_thread.run_sync(file.read)
        return [await self._looked(known) if check else _entry(known) for known in found]

    async def _looked(self, known: KnownServer) -> ServerEntry:
        try:
            return await self._asked(known.server)
        except OurcliError as exc:
            return _entry(known, exc.message)

    async def remove(self, name: str) -> None:
        """Forget a server, what it was granted and the login at it.

        Raises:
            NotFoundError: There is none of that name.
        """
        await to_thread.run_sync(open_server_file(self._rooms).remove, name)
        tokens = self._rooms.home.mcp_tokens / f"{name}.json"
        await to_thread.run_sync(lambda: tokens.unlink(missing_ok=True))
        _, book = open_grants(self._rooms)
        await book.revoke(Origin(kind=OriginKind.MCP, name=name))


def placed(server: McpServer) -> McpServer:
    """Return a server whose program and files mean from every folder what they mean from this one.

    Its program would else be another one where somebody put a file of that name.
    """
    program, *words = server.command or ("",)
    if os.sep in program:
        program = str(Path(program).absolute())
    whole = (str(Path(word).absolute()) if _is_path(word) else word for word in words)
    return replace(server, command=(program, *whole)) if server.command else server


def _is_path(word: str) -> bool:
    return not word.startswith("-") and ("." in word or os.sep in word) and os.path.exists(word)  # noqa: PTH110  # a word may be too long for a path


def _entry(known: KnownServer, problem: str = "") -> ServerEntry:
    return ServerEntry(known=known, offer=offered(known), problem=problem)
