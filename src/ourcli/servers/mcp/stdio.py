"""MCP over stdin and stdout: a message a line, and nothing else ever on stdout.

The SDK's own transport waits for the next line before it can be cancelled, so that a signal would hang it until
its client writes. Here a thread of its own blocks in `read`, and another in `write`; both end with the process.
"""

import json
import os
import queue
import select
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final

import anyio
from anyio import from_thread, lowlevel
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp import types
from mcp.shared.message import SessionMessage
from pydantic import ValidationError

MOST_BYTES: Final = 4 * 1024 * 1024
"""A longer line is refused, and skipped to its end."""
GRACE_S: Final = 20.0
"""After the client closed its side, requests that it still waits for may take this long; SIGTERM ends them at once."""
_LOOK_AGAIN_S: Final = 0.05
_CHUNK: Final = 64 * 1024
_WHERE_LOST = (RuntimeError, anyio.ClosedResourceError, anyio.BrokenResourceError)
"""What a thread meets when the loop or the receiver is gone."""

Incoming = SessionMessage | Exception


class LineTooLongError(ValueError):
    """A line on stdin has more than `MOST_BYTES`."""


class Lines:
    """Cut bytes into lines; of one that is too long nothing is kept but that it was."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._held, self._skipping = most_bytes, bytearray(), False

    def feed(self, data: bytes) -> Iterator[bytes | LineTooLongError]:
        """Take the next bytes; yield the lines they finish, and an error where one grows too long."""
        *whole, rest = data.split(b"\n")
        for piece in whole:
            line = bytes(self._held) + piece
            self._held.clear()
            if self._skipping:
                self._skipping = False
            elif len(line) > self._most:
                yield LineTooLongError()
            elif line.strip():
                yield line
        if self._skipping:
            return
        self._held += rest
        if len(self._held) > self._most:
            self._held.clear()
            self._skipping = True
            yield LineTooLongError()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """The two descriptors that carry the protocol."""

    reading: int
    writing: int


@contextmanager
def claimed() -> Iterator[Wire]:
    """Keep stdin and stdout for the protocol: whoever else prints reaches stderr, whoever else reads, nothing."""
    sys.stdout.flush()
    wire = Wire(reading=os.dup(0), writing=os.dup(1))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    try:
        yield wire
    finally:
        sys.stdout.flush()
        os.dup2(wire.reading, 0)  # the duplicates stay open: a thread may still be blocked on them
        os.dup2(wire.writing, 1)


@asynccontextmanager
async def stdio_streams(
    wire: Wire,
) -> AsyncIterator[tuple[MemoryObjectReceiveStream[Incoming], MemoryObjectSendStream[SessionMessage]]]:
    """Give what comes in and take what goes out; the first ends when the client closes its side or is gone."""
    into, incoming = anyio.create_memory_object_stream[Incoming](0)
    outgoing, out_of = anyio.create_memory_object_stream[SessionMessage](0)
    refused = outgoing.clone()
    owed = _Owed(wire.writing)
    async with anyio.create_task_group() as tasks:
        _start("mcp-stdin", _read, wire.reading, _Inbox(into, refused, owed, lowlevel.current_token()))
        tasks.start_soon(_write_all, out_of, _Writer(wire.writing), owed, into)
        try:
            yield incoming, outgoing
        finally:
            for stream in (incoming, outgoing, refused, into):
                stream.close()
            tasks.cancel_scope.cancel()


def _start(name: str, target: object, *arguments: object) -> None:
    threading.Thread(target=target, args=arguments, name=name, daemon=True).start()  # type: ignore[arg-type]  # a function of this module


class _Owed:
    """Which requests were not answered yet, so that whoever pipes requests in gets every answer before the end."""

    def __init__(self, writing: int) -> None:
        self._writing = writing
        self._ids: set[types.RequestId] = set()
        self._paid = anyio.Event()

    def asked(self, message: types.JSONRPCMessage) -> None:
        """Note a request."""
        if isinstance(message, types.JSONRPCRequest):
            self._ids.add(message.id)

    def answered(self, message: types.JSONRPCMessage) -> None:
        """Note an answer."""
        if isinstance(message, types.JSONRPCResponse | types.JSONRPCError) and message.id is not None:
            self._ids.discard(message.id)
            self._paid.set()

    async def settled(self) -> None:
        """Wait until every request is answered; not for long, and not for a client that is gone."""
        with anyio.move_on_after(GRACE_S):
            while self._ids and not self._client_is_gone():
                self._paid = anyio.Event()
                with anyio.move_on_after(_LOOK_AGAIN_S):
                    await self._paid.wait()

    def _client_is_gone(self) -> bool:
        if not hasattr(select, "poll"):
            return False
        poll = select.poll()
        poll.register(self._writing, 0)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


@dataclass(frozen=True, slots=True)
class _Inbox:
    into: MemoryObjectSendStream[Incoming]
    refused: MemoryObjectSendStream[SessionMessage]
    owed: _Owed
    token: lowlevel.EventLoopToken

    async def take(self, line: bytes | LineTooLongError) -> None:
        """Hand a message on, or answer what is none as JSON-RPC says (§5.1)."""
        if isinstance(line, LineTooLongError):
            await self.refused.send(_refusal(types.INVALID_REQUEST, f"a message has at most {MOST_BYTES} bytes"))
            return
        try:
            message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValidationError:
            await self.refused.send(_unreadable(line))
            return
        self.owed.asked(message)
        await self.into.send(SessionMessage(message))

    async def close(self) -> None:
        """Say that nothing more comes."""
        await self.owed.settled()
        self.into.close()


def _unreadable(line: bytes) -> SessionMessage:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return _refusal(types.PARSE_ERROR, "that is no JSON")
    return _refusal(types.INVALID_REQUEST, "that is no message of JSON-RPC 2.0")


def _refusal(code: int, message: str) -> SessionMessage:
    return SessionMessage(types.JSONRPCError(jsonrpc="2.0", id=None, error=types.ErrorData(code=code, message=message)))


def _read(descriptor: int, inbox: _Inbox) -> None:
    lines = Lines()
    try:
        while data := _read_once(descriptor):
            for line in lines.feed(data):
                from_thread.run(inbox.take, line, token=inbox.token)
        from_thread.run(inbox.close, token=inbox.token)
    except _WHERE_LOST:
        return


def _read_once(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _CHUNK)
    except OSError:
        return b""  # the client is gone


@dataclass(slots=True)
class _Letter:
    line: bytes
    done: anyio.Event = field(default_factory=anyio.Event)
    failed: bool = False


class _Writer:
    """Writes lines in a thread of its own, one at a time, so that a client that reads nothing blocks no signal."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._letters: queue.SimpleQueue[_Letter] = queue.SimpleQueue()
        self._token = lowlevel.current_token()
        _start("mcp-stdout", self._run)

    async def write(self, line: bytes) -> bool:
        """Write a line; return whether the client took it."""
        letter = _Letter(line)
        self._letters.put(letter)
        await letter.done.wait()
        return not letter.failed

    def _run(self) -> None:
        try:
            while True:
                letter = self._letters.get()
                letter.failed = not self._write(letter.line)
                from_thread.run_sync(letter.done.set, token=self._token)
        except _WHERE_LOST:
            return

    def _write(self, line: bytes) -> bool:
        view = memoryview(line)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError:
            return False
        return True


async def _write_all(
    messages: MemoryObjectReceiveStream[SessionMessage],
    writer: _Writer,
    owed: _Owed,
    into: MemoryObjectSendStream[Incoming],
) -> None:
    """Write what is sent; when the client is gone, end what comes in as well."""
    async with messages:
        async for one in messages:
            line = one.message.model_dump_json(by_alias=True, exclude_unset=True)
            if not await writer.write(line.encode() + b"\n"):
                into.close()
                return
            owed.answered(one.message)
