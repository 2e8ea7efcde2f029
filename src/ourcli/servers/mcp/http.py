"""MCP over streamable HTTP on a loopback port, in all revisions that the SDK speaks."""

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final

import anyio
import uvicorn
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from ourcli.common.errors import OurcliError, UsageError
from ourcli.common.net import is_loopback
from ourcli.servers.mcp.gatekeeping import Gatekeeper

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

MOST_BODY_BYTES: Final = 4 * 1024 * 1024
_MOST_SESSIONS: Final = 64
_MOST_CONNECTIONS: Final = 128
_IDLE_S: Final = 1800.0
_CLOSING_S: Final = 1


def listening_place(address: str) -> tuple[str, int]:
    """Return host and port of `[HOST:]PORT`.

    Raises:
        UsageError: It is none, or the host is not this machine.
    """
    host, colon, port = address.rpartition(":")
    host = host.strip("[]") if colon else "127.0.0.1"
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise UsageError(f"{address!r} is no port", hint="write `--http 8765`, or 0 for a free port")
    if not is_loopback(host):
        raise UsageError(
            f"{host!r} is not this machine, and other machines are not served", hint="write the port alone"
        )
    return ("127.0.0.1" if host == "localhost" else host), int(port)


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to a loopback address.

    Raises:
        OurcliError: The port is taken, or may not be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as exc:
        listener.close()
        raise OurcliError(
            f"cannot listen on port {port}: {exc.strerror or exc}", hint="choose another one, or 0 for a free one"
        ) from exc
    return listener


class _Uvicorn(uvicorn.Server):
    """Says when it can be reached, and leaves signals to the command line, which cancels whoever serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.reachable = anyio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self.reachable.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def serve(
    server: "Server[dict[str, Any]]", listener: socket.socket, token: str, ready: Callable[[], None]
) -> None:
    """Answer requests until cancelled; then streams that are open end, and with them the work behind them."""
    manager = StreamableHTTPSessionManager(
        server,
        max_request_body_size=MOST_BODY_BYTES,
        session_idle_timeout=_IDLE_S,
        max_sessions=_MOST_SESSIONS,
    )
    port = listener.getsockname()[1]
    web = _Uvicorn(
        uvicorn.Config(
            Gatekeeper(manager.handle_request, token=token, port=port),
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_CLOSING_S,
        )
    )
    async with _running(web, listener), manager.run():
        await web.reachable.wait()
        ready()
        await anyio.sleep_forever()


@asynccontextmanager
async def _running(web: uvicorn.Server, listener: socket.socket) -> AsyncIterator[None]:
    """Run the web server while the context lasts, and let it close its connections by itself."""
    ended = anyio.Event()

    async def run() -> None:
        with anyio.CancelScope(shield=True):
            await web.serve(sockets=[listener])
        ended.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        try:
            yield
        finally:
            web.should_exit = True
            with anyio.CancelScope(shield=True):
                await ended.wait()
