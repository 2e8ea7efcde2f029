"""A server on standard input and output: a program in a process group of its own, with a bare environment.

The SDK's own transport hands over more of the environment and has no bound for a line; hence this one.
"""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import anyio
import mcp_types
from anyio.abc import ByteReceiveStream, ByteSendStream, Process
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage

from ourcli.common.errors import ToolError
from ourcli.tools.logtext import LogLines

MOST_LINE: Final = 8 * 1024 * 1024
MOST_GARBAGE: Final = 100
"""Lines that are no message before the server is given up; some print a banner."""
END_S: Final = 1.0
_BASIC: Final = ("HOME", "LANG", "PATH", "SYSTEMROOT")
_GONE: Final = (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)
_log = logging.getLogger(__name__)

_Incoming = MemoryObjectSendStream[SessionMessage | Exception]
Streams = tuple[MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]]


def environment_for(keys: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a server: where programs and the home are, the language, and the named keys."""
    return {key: given[key] for key in (*_BASIC, *keys) if key in given}


@asynccontextmanager
async def stdio_streams(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    said: Callable[[str], None],
    ended: Callable[[], None],
) -> AsyncGenerator[Streams, None]:
    """Start a server and speak with it in lines.

    Args:
        command: Program and arguments; no shell.
        environment: All of its environment.
        said: Takes each line that it writes to standard error, made harmless.
        ended: Called when it closes its standard output or breaks the protocol for good.

    Raises:
        ToolError: The program cannot be started.
    """
    process = await _started(command, environment)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_stop, process)
        incoming, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        write, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
        for stream in (incoming, read, write, outgoing):
            stack.callback(stream.close)
        tasks = await stack.enter_async_context(anyio.create_task_group())
        assert process.stdin is not None  # three pipes were asked for
        assert process.stdout is not None
        assert process.stderr is not None
        tasks.start_soon(_listen, process.stdout, incoming, ended)
        tasks.start_soon(_speak, process.stdin, outgoing)
        tasks.start_soon(_overhear, process.stderr, said)
        try:
            yield read, write
        finally:
            tasks.cancel_scope.cancel()


async def _started(command: Sequence[str], environment: Mapping[str, str]) -> Process:
    try:
        return await anyio.open_process(
            list(command),
            env=environment,
            cwd=_own_folder(),
            stderr=subprocess.PIPE,
            start_new_session=sys.platform != "win32",
        )
    except (OSError, ValueError, RuntimeError) as exc:
        raise ToolError(
            f"the MCP server {command[0]!r} cannot be started: {exc}",
            hint="is the program installed? remove the server or add it again with the whole path",
        ) from exc


def _own_folder() -> Path:
    """Return the user's own folder: programs load code from where they start, maybe a stranger's project."""
    home = Path.home()
    return home if home.is_dir() else Path(home.anchor)


async def _listen(stdout: ByteReceiveStream, incoming: _Incoming, ended: Callable[[], None]) -> None:
    garbage, held = 0, bytearray()
    try:
        async with incoming:
            async for data in stdout:
                held += data
                *lines, held = held.split(b"\n") if b"\n" in data else [held]
                if max(map(len, (*lines, held))) > MOST_LINE:
                    _log.warning("an MCP server wrote a line of more than %d bytes; it is stopped", MOST_LINE)
                    return
                for line in lines:
                    message = _message(line)
                    garbage += message is None
                    if message is not None:
                        await incoming.send(message)
                if garbage > MOST_GARBAGE:
                    _log.warning("an MCP server writes lines that are no messages; it is stopped")
                    return
    except _GONE:
        _log.debug("the connection to an MCP server was closed")
    finally:
        ended()


def _message(line: bytearray) -> SessionMessage | None:
    if not line.strip():
        return None
    try:
        return SessionMessage(mcp_types.jsonrpc_message_adapter.validate_json(bytes(line), by_name=False))
    except ValueError:
        _log.info("an MCP server wrote a line that is no message")
        return None


async def _speak(stdin: ByteSendStream, outgoing: MemoryObjectReceiveStream[SessionMessage]) -> None:
    with suppress(*_GONE):
        async with outgoing:
            async for message in outgoing:
                text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                await stdin.send(text.encode() + b"\n")


async def _overhear(stderr: ByteReceiveStream, said: Callable[[str], None]) -> None:
    lines = LogLines()
    with suppress(*_GONE):
        async for data in stderr:
            for line in lines.feed(data):
                said(line)


async def _stop(process: Process) -> None:
    """Close its input, wait a moment, then kill everything it started."""
    with anyio.CancelScope(shield=True):
        assert process.stdin is not None
        with suppress(*_GONE):
            await process.stdin.aclose()
        with anyio.move_on_after(END_S):
            while process.returncode is None:  # noqa: ASYNC110  # its own waiting ends with the pipes, which children hold
                await anyio.sleep(0.01)
        _kill(process)
        with anyio.move_on_after(END_S):
            await process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                with suppress(*_GONE):
                    await pipe.aclose()
        await process.aclose()


def _kill(process: Process) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
