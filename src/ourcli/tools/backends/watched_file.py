"""A small private file that is read again only when it changed."""

import os
import stat
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from anyio import to_thread

from ourcli.common.errors import StoreError

_Value = TypeVar("_Value")
_Mark = tuple[int, ...]


class WatchedFile(Generic[_Value]):
    """What a file means, as it is now.

    A look costs one `stat`. The file that was read stays open, so that no other file gets its number: whoever
    replaces it is noticed, however quickly that happened.

    Args:
        path: The file; need not exist.
        parse: Makes a value of its bytes.
        empty: The value while there is no file.
        most_bytes: A larger file is damaged.
    """

    def __init__(self, path: Path, parse: Callable[[bytes], _Value], empty: _Value, *, most_bytes: int) -> None:
        self._path, self._parse, self._empty, self._most_bytes = path, parse, empty, most_bytes
        self._name = str(path)
        self._held: BinaryIO | None = None
        self._mark: _Mark | None = None
        self._value = empty
        self._reading = threading.Lock()

    async def current(self) -> _Value:
        """Return the value, the same object as before when the file did not change.

        Raises:
            StoreError: It cannot be read, is too large, or others than the user could have written it.
            Exception: Whatever `parse` raises; the next look reads again.
        """
        try:
            mark = _mark(os.stat(self._name))  # noqa: PTH116  # at every call of a tool; a Path costs twice as much
        except FileNotFoundError:
            if self._mark is not None:
                self.close()
            return self._empty
        except OSError as exc:
            raise self._unreadable(exc) from exc
        if mark == self._mark:
            return self._value
        return await to_thread.run_sync(self.read)

    def read(self) -> _Value:
        """Read the file whatever is known of it, and return the value.

        Raises:
            StoreError: As for `current`.
        """
        with self._reading:
            return self._read()

    def _read(self) -> _Value:
        self.close()
        try:
            stream = self._path.open("rb")
        except FileNotFoundError:
            return self._empty
        except OSError as exc:
            raise self._unreadable(exc) from exc
        with ExitStack() as unless_held:
            unless_held.callback(stream.close)
            state = os.fstat(stream.fileno())
            self._check(state)
            content = stream.read(self._most_bytes + 1)
            if len(content) > self._most_bytes:
                raise StoreError(f"{str(self._path)!r} is larger than {self._most_bytes:,} bytes", hint="look into it")
            value = self._parse(content)
            unless_held.pop_all()
        self._hold(stream)
        self._value, self._mark = value, _mark(state)
        return value

    def _hold(self, stream: BinaryIO) -> None:
        if os.name == "nt":
            stream.close()  # an open file could not be replaced there, and numbers are not given again
        else:
            self._held = stream

    def _check(self, state: os.stat_result) -> None:
        if not stat.S_ISREG(state.st_mode):
            raise StoreError(f"{str(self._path)!r} is no plain file", hint="move it away")
        if os.name != "nt" and (state.st_mode & 0o022 or state.st_uid not in (0, os.geteuid())):
            raise StoreError(
                f"others than you can write {str(self._path)!r}, so nothing in it counts",
                hint=f"look into it, and run `chmod 600 {self._path}`",
            )

    def _unreadable(self, exc: OSError) -> StoreError:
        return StoreError(f"cannot read {str(self._path)!r}: {exc.strerror or exc}", hint="check its permissions")

    def close(self) -> None:
        """Let the file go; the next look reads again."""
        if self._held is not None:
            self._held.close()
        self._held, self._mark, self._value = None, None, self._empty


def _mark(state: os.stat_result) -> _Mark:
    return state.st_dev, state.st_ino, state.st_mode, state.st_size, state.st_mtime_ns, state.st_ctime_ns
