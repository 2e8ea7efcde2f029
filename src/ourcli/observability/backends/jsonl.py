"""Lines in a rotating file, 0600 in a 0700 folder, appended to by several processes at once.

Each line is one `write` on a descriptor opened with `O_APPEND`, which the system does not interleave. Rotation
(`events.jsonl` -> `.1` -> `.2` ...) happens under a file lock; a writer that still holds the old file finishes its
line there, where readers find it.
"""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import BinaryIO

import anyio
import anyio.lowlevel
from filelock import FileLock, Timeout

from ourcli.common.errors import StoreError
from ourcli.common.files import FILE_MODE, ensure_private_folder

_BLOCK = 1 << 16
_LOCK_WAIT_S = 2.0


class JsonLines:
    """A rotating file of lines.

    Args:
        path: The file that is appended to; older ones stand beside it with a number.
        max_bytes: Size at which it is rotated.
        keep: Files in all; the oldest is dropped.
        poll_s: How often a follower looks for new lines.
    """

    def __init__(self, path: Path, *, max_bytes: int = 2_000_000, keep: int = 5, poll_s: float = 0.2) -> None:
        self._path, self._max_bytes, self._keep, self._poll_s = path, max_bytes, keep, poll_s

    def append(self, line: str) -> None:
        """Add one line; line breaks inside it become spaces.

        Raises:
            StoreError: It cannot be written.
        """
        data = " ".join(line.splitlines()).encode("utf-8", "replace") + b"\n"
        try:
            ensure_private_folder(self._path.parent)
            self._rotate_when_full(len(data))
            self._write(data)
        except OSError as exc:
            raise StoreError(
                f"cannot write {str(self._path)!r}: {exc.strerror or exc}", hint="check free space and permissions"
            ) from exc

    def blank(self, wanted: Sequence[bytes]) -> int:
        """Write spaces over every line that holds one of these, in all files; return how many lines went.

        Nothing is moved, so that whoever appends meanwhile loses nothing.

        Raises:
            StoreError: A file cannot be written.
        """
        try:
            with self._lock() if self._path.parent.is_dir() else nullcontext():
                return sum(_blank(path, wanted) for path in self._files())
        except (OSError, Timeout) as exc:
            raise StoreError(f"cannot clean {str(self._path)!r}: {exc}", hint="check its permissions") from exc

    def _write(self, data: bytes) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(self._path, flags, FILE_MODE)
        try:
            size = os.lseek(descriptor, 0, os.SEEK_END)
            if size:
                os.lseek(descriptor, size - 1, os.SEEK_SET)
                if os.read(descriptor, 1) != b"\n":  # a crash or a full disk tore the last line
                    data = b"\n" + data
            written = os.write(descriptor, data)
        finally:
            os.close(descriptor)
        if written != len(data):
            raise OSError(f"only {written} of {len(data)} bytes were written")

    def _rotate_when_full(self, coming: int) -> None:
        if not self._is_full(coming):
            return
        try:
            with self._lock():
                if self._is_full(coming):
                    self._rotate()
        except Timeout:
            return  # another process is at it; the file grows a little until then

    def _is_full(self, coming: int) -> bool:
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            return False
        return size > 0 and size + coming > self._max_bytes

    def _rotate(self) -> None:
        files = self._files()
        if len(files) >= self._keep:
            files[0].unlink(missing_ok=True)
            files = files[1:]
        for file in files:
            number = 0 if file == self._path else int(file.suffix[1:])
            file.replace(self._numbered(number + 1))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _files(self) -> list[Path]:
        """Return the files that exist, oldest first."""
        candidates = [self._numbered(number) for number in range(self._keep - 1, 0, -1)]
        return [path for path in (*candidates, self._path) if path.exists()]

    def _lock(self) -> FileLock:
        return FileLock(self._path.with_name(f".{self._path.name}.lock"), timeout=_LOCK_WAIT_S, mode=FILE_MODE)

    async def lines(self, *, follow: bool) -> AsyncIterator[str]:
        """Yield every whole line, oldest first; a torn last line is skipped.

        Args:
            follow: Go on with lines that are appended later, across rotations, until cancelled.

        Raises:
            StoreError: A file cannot be read.
        """
        last: BinaryIO | None = None
        with ExitStack() as held:
            while True:
                streams = self._open_after(last, held)
                for position, stream in enumerate(streams):
                    newest = position == len(streams) - 1
                    async for line in self._read(stream, wait=follow and newest):
                        yield line
                    if last is not None:
                        last.close()
                    last = stream
                if not follow:
                    return
                if not streams:
                    await anyio.sleep(self._poll_s)

    def _open_after(self, last: BinaryIO | None, held: ExitStack) -> list[BinaryIO]:
        """Open the files that are newer than `last`, oldest first, as one rotation left them."""
        streams: list[BinaryIO]
        try:
            with ExitStack() as locked:
                if os.access(self._path.parent, os.W_OK):
                    locked.enter_context(self._lock())
                streams = [held.enter_context(path.open("rb")) for path in self._files()]
        except (OSError, Timeout) as exc:
            raise StoreError(f"cannot read {str(self._path)!r}: {exc}") from exc
        if last is None:
            return streams
        for position, stream in enumerate(streams):
            if os.path.sameopenfile(stream.fileno(), last.fileno()):
                for old in streams[: position + 1]:
                    old.close()
                return streams[position + 1 :]
        return streams

    async def _read(self, stream: BinaryIO, *, wait: bool) -> AsyncIterator[str]:
        """Yield the whole lines of one file; with `wait`, until it was rotated away and read to its end."""
        rest = b""
        while True:
            rotated = wait and not self._is_current(stream)
            while block := stream.read(_BLOCK):
                *whole, rest = (rest + block).split(b"\n")
                for line in whole:
                    if line.strip(b" "):
                        yield line.decode("utf-8", "replace")
                await anyio.lowlevel.checkpoint()
            if not wait or rotated:
                return
            await anyio.sleep(self._poll_s)

    def _is_current(self, stream: BinaryIO) -> bool:
        try:
            return os.path.samestat(os.fstat(stream.fileno()), self._path.stat())
        except FileNotFoundError:
            return True


def _blank(path: Path, wanted: Sequence[bytes]) -> int:
    """Write spaces over the lines of one file that hold one of `wanted`, where they stand."""
    gone = 0
    with path.open("r+b") as stream:
        while line := stream.readline():
            body = line.rstrip(b"\n")
            if any(one in body for one in wanted):
                end = stream.tell()
                stream.seek(end - len(line))
                stream.write(b" " * len(body))
                stream.seek(end)
                gone += 1
        stream.flush()
        os.fsync(stream.fileno())
    return gone
