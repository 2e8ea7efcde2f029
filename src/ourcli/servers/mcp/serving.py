"""Serve the facade to MCP clients until they leave or the process is told to end."""

import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
from mcp.server.lowlevel import Server

from ourcli.config.locations import Home
from ourcli.servers.mcp.gatekeeping import PATH
from ourcli.servers.mcp.http import bound, listening_place, serve
from ourcli.servers.mcp.ourcli_offer import OurcliOffer
from ourcli.servers.mcp.ports import Facade
from ourcli.servers.mcp.server import build
from ourcli.servers.mcp.stdio import claimed, stdio_streams
from ourcli.servers.mcp.token import read_or_make


def roots_or_here(given: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the folders whose files may be ingested: those given, else this one.

    A program with windows starts its servers in the user's own folder or at the root of the disk. Neither is a
    project, and both hold what no client should read: then there is none until one is given.
    """
    here = Path.cwd()
    too_much = here == Path(here.anchor) or Path.home().resolve().is_relative_to(here.resolve())
    return tuple(root.resolve() for root in given) or (() if too_much else (here.resolve(),))


async def serve_stdio(service: Facade, roots: tuple[Path, ...] = ()) -> None:
    """Serve one client on stdin and stdout until it closes them."""
    server = build(OurcliOffer(service, roots))
    await until_told(lambda: serve_wire(server))


async def serve_wire(server: Server[dict[str, Any]]) -> None:
    """Serve any offer on stdin and stdout until the client closes them."""
    with claimed() as wire:
        async with stdio_streams(wire) as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())


async def serve_http(
    service: Facade, address: str, *, tell: Callable[[str], None], roots: tuple[Path, ...] = ()
) -> None:
    """Serve any number of clients on a loopback port until the process is told to end.

    Args:
        service: What is served.
        address: `[HOST:]PORT`.
        tell: Told where the server listens and where the token is, once it can be reached.
        roots: Folders whose files may be ingested.

    Raises:
        UsageError: The address is not on this machine.
        OurcliError: The port is taken.
    """
    await serve_port(build(OurcliOffer(service, roots)), address, tell=tell)


async def serve_port(server: Server[dict[str, Any]], address: str, *, tell: Callable[[str], None]) -> None:
    """Serve any offer on a loopback port."""
    host, port = listening_place(address)
    path = Home.from_environment(os.environ).mcp_token
    token = read_or_make(path)
    with closing(bound(host, port)) as listener:
        shown = f"[{host}]" if ":" in host else host
        url = f"http://{shown}:{listener.getsockname()[1]}{PATH}"

        def ready() -> None:
            tell(f"MCP server on {url}")
            tell(f"bearer token in {path}")

        await until_told(lambda: serve(server, listener, token, ready))


async def until_told(work: Callable[[], Awaitable[None]]) -> None:
    """Await work, and cancel it when the process is told to end (SIGTERM, SIGHUP); Ctrl-C is the command line's."""
    async with anyio.create_task_group() as tasks:
        if sys.platform != "win32" and threading.current_thread() is threading.main_thread():
            await tasks.start(_cancel_when_told, tasks.cancel_scope)
        await work()
        tasks.cancel_scope.cancel()


async def _cancel_when_told(scope: anyio.CancelScope, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGHUP) as signals:
        task_status.started()
        async for _ in signals:
            scope.cancel()
            return
