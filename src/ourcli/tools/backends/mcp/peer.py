"""One server while this process lives: connected when it is first needed, connected again when it went away.

Everything here runs in the loop of `host`.
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final, TypeVar

import anyio
import httpx2
import mcp_types
from anyio.abc import TaskGroup, TaskStatus
from mcp import Client
from mcp.client.auth import OAuthFlowError
from mcp.shared.exceptions import MCPError

from ourcli.common.errors import OurcliError, ToolCrashedError, ToolError, ToolTimeoutError
from ourcli.tools.backends.mcp.answers import output_of, remote_tool
from ourcli.tools.data import JsonObject
from ourcli.tools.logtext import harmless
from ourcli.tools.servers import MOST_TOOLS, ChangedToolsError, McpServer, RemoteTool, pinned

CONNECT_S: Final = 20.0
LIST_S: Final = 20.0
MOST_PAGES: Final = 50
LOOK_AGAIN_S: Final = 60.0
"""After this long its tools are listed again before a call, for not every server tells when they change."""
BACK_OFF_S: Final = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""How long a server that could not be reached is left alone, by how often that happened in a row."""
_log = logging.getLogger(__name__)
_T = TypeVar("_T")

Connect = Callable[["Live"], AbstractAsyncContextManager[Client]]
"""Opens a connection; what it learns while that lives goes into the `Live`."""


@dataclass(slots=True)
class Live:
    """One connection.

    Attributes:
        dead: Set when it is of no more use.
        stop: Set to close it.
        changed: The server said that its tools changed, or they were not looked at yet.
        looked_at: When they were, in the loop's time.
        reason: Why it died.
        log: Takes lines of the server's log while a call runs.
    """

    dead: anyio.Event = field(default_factory=anyio.Event)
    stop: anyio.Event = field(default_factory=anyio.Event)
    changed: bool = True
    looked_at: float = 0.0
    reason: str = "it closed the connection"
    log: Callable[[str], None] = lambda _line: None
    client: Client | None = None

    def say(self, line: str) -> None:
        """Take a line of the server's log."""
        self.log(line)

    def end(self) -> None:
        """Give the connection up."""
        self.dead.set()
        self.stop.set()


class Peer:
    """Speaks with one server.

    Args:
        server: Which.
        connect: Opens a connection to it.
        tasks: Holds connections open.
    """

    def __init__(self, server: McpServer, connect: Connect, tasks: TaskGroup) -> None:
        self._server, self._connect, self._tasks = server, connect, tasks
        self._live: Live | None = None
        self._lock = anyio.Lock()
        self._failures, self._not_before = 0, 0.0

    async def listing(self, seconds: float = LIST_S) -> tuple[tuple[RemoteTool, ...], str]:
        """Connect and return the server's tools and the revision of the protocol it speaks.

        Raises:
            ToolError: It cannot be reached, does not answer or answers what it must not.
        """
        live = await self._ready(seconds)
        tools = await self._look(live)
        return tools, _client(live).protocol_version

    async def call(
        self, pin: str, name: str, arguments: JsonObject, seconds: float, log: Callable[[str], None]
    ) -> JsonObject:
        """Call a tool once, when the server still lists what `pin` is a digest of.

        Raises:
            ChangedToolsError: It lists something else; nothing was called.
            ToolTimeoutError: It did not answer in time.
            ToolCrashedError: It went away.
            ToolError: It cannot be reached, or the tool failed.
        """
        live = await self._ready(min(CONNECT_S, seconds))
        if live.changed or anyio.current_time() - live.looked_at > LOOK_AGAIN_S:
            self._compare(pin, await self._look(live))
        live.log = log

        async def work(client: Client) -> JsonObject:
            return output_of(await client.call_tool(name, dict(arguments), seconds), name)

        try:
            return await self._raced(live, work, seconds)
        except ToolTimeoutError:
            if self._server.command:
                live.end()  # whatever hangs there must not go on
            raise

    async def _look(self, live: Live) -> tuple[RemoteTool, ...]:
        live.changed, live.looked_at = False, anyio.current_time()
        try:
            return await self._raced(live, _listed, LIST_S)
        except OurcliError:
            live.changed = True
            raise

    def _compare(self, pin: str, tools: tuple[RemoteTool, ...]) -> None:
        if pinned(self._server, tools) != pin:
            name, right = self._server.name, str(self._server.capabilities[0])
            raise ChangedToolsError(
                f"the MCP server {name!r} lists other tools than those you know; nothing was called",
                tools=tools,
                capability=right,
                hint=f"`ourcli mcp list {name}` shows what changed; grant {right} again if you trust it",
            )

    async def close(self) -> None:
        """Close the connection and wait until it is."""
        live = self._live
        if live is not None:
            live.stop.set()
            await live.dead.wait()

    async def _ready(self, seconds: float) -> Live:
        async with self._lock:
            if self._live is not None and not self._live.dead.is_set():
                return self._live
            self._wait_out()
            live = Live()
            try:
                with anyio.fail_after(seconds):
                    await self._tasks.start(self._hold, live)
            except TimeoutError as exc:
                raise self._failed(ToolTimeoutError(f"{self._named} does not answer")) from exc
            except OurcliError as exc:
                raise self._failed(exc) from exc
            self._live, self._failures = live, 0
            return live

    @property
    def _named(self) -> str:
        return f"the MCP server {self._server.name!r}"

    def _wait_out(self) -> None:
        left = self._not_before - anyio.current_time()
        if left > 0:
            raise ToolError(
                f"{self._named} could not be reached {self._failures} times; it is tried again in {left:.0f} s",
                hint=f"is it running? `ourcli mcp list {self._server.name} --check` tells",
            )

    def _failed(self, exc: OurcliError) -> OurcliError:
        self._not_before = anyio.current_time() + BACK_OFF_S[min(self._failures, len(BACK_OFF_S) - 1)]
        self._failures += 1
        if not exc.hint or isinstance(exc, ToolCrashedError):
            exc.hint = f"is it running? `ourcli mcp list {self._server.name} --check` tells"
        return exc

    async def _hold(self, live: Live, *, task_status: TaskStatus[None]) -> None:
        """Keep one connection open until it is to be closed or breaks."""
        try:
            async with self._connect(live) as client:
                live.client = client
                task_status.started()
                await live.stop.wait()
        except Exception as exc:  # a server's connection is a boundary: whatever broke it is told to whoever calls
            error = self._translated(exc)
            if live.client is None:
                raise error from exc
            live.reason = error.message
            _log.info("the connection to %s broke: %s", self._named, error.message)
        finally:
            live.dead.set()

    async def _raced(self, live: Live, work: Callable[[Client], Awaitable[_T]], seconds: float) -> _T:
        """Return what `work` gives, unless the connection dies or time runs out before."""
        outcome: list[_T] = []
        failure: list[OurcliError] = []

        async def run(scope: anyio.CancelScope) -> None:
            try:
                with anyio.fail_after(seconds):
                    outcome.append(await work(_client(live)))
            except Exception as exc:  # noqa: BLE001  # the same boundary
                failure.append(self._translated(exc, seconds))
            scope.cancel()

        async with anyio.create_task_group() as race:
            race.start_soon(run, race.cancel_scope)
            await live.dead.wait()
            race.cancel_scope.cancel()
        if outcome:
            return outcome[0]
        if live.dead.is_set():
            raise ToolCrashedError(f"{self._named} went away: {live.reason}", hint="call it again to connect again")
        raise failure[0] if failure else ToolCrashedError(f"{self._named} went away")

    def _translated(self, exc: BaseException, seconds: float = CONNECT_S) -> OurcliError:
        while isinstance(exc, BaseExceptionGroup):
            exc = exc.exceptions[0]
        if isinstance(exc, OurcliError):
            return exc
        if isinstance(exc, TimeoutError) or (isinstance(exc, MCPError) and exc.code == mcp_types.REQUEST_TIMEOUT):
            return ToolTimeoutError(f"{self._named} did not answer within {seconds:g} s")
        if isinstance(exc, MCPError) and exc.code == mcp_types.CONNECTION_CLOSED:
            return ToolCrashedError(f"{self._named} went away", hint="call it again to connect again")
        words = harmless(" ".join(str(exc).split())) or type(exc).__name__
        if isinstance(exc, OAuthFlowError):
            return ToolError(
                f"no login at {self._named}: {words}", hint="log in with `ourcli mcp add NAME URL` on a terminal"
            )
        if isinstance(exc, MCPError | httpx2.HTTPError | RuntimeError):
            return ToolError(f"{self._named} failed: {words}")
        _log.warning("an unforeseen failure of %s", self._named, exc_info=exc)
        return ToolError(f"{self._named} failed: {type(exc).__name__}: {words}")


def _client(live: Live) -> Client:
    if live.client is None:
        raise ToolError("the connection is not open")
    return live.client


async def _listed(client: Client) -> tuple[RemoteTool, ...]:
    found: list[RemoteTool] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await client.list_tools(cursor=cursor, cache_mode="refresh")
        found += map(remote_tool, page.tools)
        cursor = page.next_cursor
        if cursor is None or len(found) > MOST_TOOLS:
            break
    return tuple(found)
