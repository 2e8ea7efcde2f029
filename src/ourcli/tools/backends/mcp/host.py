"""Connections to servers, in a thread with a loop of its own: they outlive the task that first needed them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import TypeVar

import anyio
from anyio import to_thread
from anyio.abc import TaskGroup, TaskStatus
from anyio.from_thread import BlockingPortal, start_blocking_portal

from ourcli.tools.backends.mcp.opening import Opener
from ourcli.tools.backends.mcp.peer import Peer
from ourcli.tools.data import JsonObject
from ourcli.tools.ports import ToolContext
from ourcli.tools.servers import KnownServer, McpServer, RemoteTool

_T = TypeVar("_T")


class McpHost:
    """Speaks with servers; each is connected when it is first needed and kept until `aclose`.

    Args:
        opener: Opens connections.
    """

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._starting = anyio.Lock()
        self._thread: AbstractContextManager[BlockingPortal] | None = None
        self._portal: BlockingPortal | None = None
        self._tasks: TaskGroup | None = None
        self._stop: anyio.Event | None = None
        self._peers: dict[McpServer, Peer] = {}

    async def look(self, server: McpServer, seconds: float) -> tuple[tuple[RemoteTool, ...], str]:
        """Return a server's tools and the revision it speaks.

        Raises:
            NetworkOffError: It is elsewhere and the network is off.
            ToolError: It cannot be reached, or does not answer.
        """
        return await self._run(lambda: self._peer(server).listing(seconds))

    async def call(self, known: KnownServer, tool: str, arguments: JsonObject, context: ToolContext) -> JsonObject:
        """Call a tool once; see `Peer.call`."""
        pin, seconds = known.origin.sha256, context.timeout_s or 0.0
        return await self._run(lambda: self._peer(known.server).call(pin, tool, arguments, seconds, context.log))

    def _peer(self, server: McpServer) -> Peer:
        if server not in self._peers:
            assert self._tasks is not None  # set when the thread started
            self._peers[server] = Peer(server, partial(self._opener.open, server), self._tasks)
        return self._peers[server]

    async def _run(self, work: Callable[[], Awaitable[_T]]) -> _T:
        """Run `work` in the thread; cancelling here cancels it there."""
        async with self._starting:
            if self._portal is None:
                await to_thread.run_sync(self._start)
        assert self._portal is not None  # just started
        return await asyncio.wrap_future(self._portal.start_task_soon(work))

    def _start(self) -> None:
        self._thread = start_blocking_portal("asyncio", name="mcp servers")
        self._portal = self._thread.__enter__()
        self._portal.start_task(self._hold)

    async def _hold(self, *, task_status: TaskStatus[None]) -> None:
        async with anyio.create_task_group() as tasks:
            self._tasks, self._stop = tasks, anyio.Event()
            task_status.started()
            await self._stop.wait()
            for peer in self._peers.values():
                tasks.start_soon(peer.close)

    async def aclose(self) -> None:
        """Close every connection and end every program that was started."""
        with anyio.CancelScope(shield=True):
            if self._portal is not None:
                await to_thread.run_sync(self._end)

    def _end(self) -> None:
        assert self._portal is not None
        assert self._thread is not None
        assert self._stop is not None
        self._portal.call(self._stop.set)
        self._portal, thread = None, self._thread
        thread.__exit__(None, None, None)
