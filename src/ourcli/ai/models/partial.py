"""A file that grows in staging and survives interruption: its finished parts are kept and never fetched again."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ourcli.common.errors import DownloadError, StoreError
from ourcli.common.files import atomic_write, ensure_private_folder


class _State(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: str
    parts: tuple[int, ...] = ()


class Partial:
    """The growing file at `path`, with its state in `<path>.json`.

    Args:
        path: Where the bytes are.
        limit_bytes: More than this is refused, or None.
    """

    def __init__(self, path: Path, *, limit_bytes: int | None = None) -> None:
        self._path = path
        self._limit = limit_bytes
        self._state = _State(key="")

    @property
    def path(self) -> Path:
        """Where the bytes are."""
        return self._path

    @property
    def size_bytes(self) -> int:
        """Bytes that are there."""
        return self._path.stat().st_size if self._path.exists() else 0

    def resume_parts(self, key: str) -> tuple[int, ...]:
        """Return the sizes of the parts that an earlier try finished; an unfinished part is cut off.

        Args:
            key: Names source and version; bytes of another key are dropped.
        """
        self._load(key)
        finished = sum(self._state.parts)
        if self.size_bytes < finished:
            self._restart(key)
        elif self.size_bytes > finished:
            os.truncate(self._path, finished)
        return self._state.parts

    def resume_bytes(self, key: str) -> int:
        """Return how many bytes of the same `key` are there; bytes of another key are dropped."""
        self._load(key)
        return self.size_bytes

    def finish_part(self, size_bytes: int) -> None:
        """Record that `size_bytes` more are final."""
        self._state = _State(key=self._state.key, parts=(*self._state.parts, size_bytes))
        self._save()

    @contextmanager
    def appending(self) -> Iterator["Sink"]:
        """Open the file for more bytes; they are on disk when the context ends."""
        ensure_private_folder(self._path.parent)
        if not self._state_path.exists():
            self._save()
        try:
            stream = self._path.open("ab", buffering=0)
        except OSError as exc:
            raise _cannot_write(self._path, exc) from exc
        with stream:
            sink = Sink(stream, self._path, size_bytes=self.size_bytes, limit_bytes=self._limit)
            yield sink
            sink.flush()

    def discard(self) -> None:
        """Remove the bytes and their state."""
        self._path.unlink(missing_ok=True)
        self._state_path.unlink(missing_ok=True)

    @property
    def _state_path(self) -> Path:
        return self._path.with_name(self._path.name + ".json")

    def _load(self, key: str) -> None:
        try:
            self._state = _State.model_validate_json(self._state_path.read_bytes())
        except (OSError, ValidationError):
            self._state = _State(key="")
        if self._state.key != key:
            self._restart(key)

    def _restart(self, key: str) -> None:
        self.discard()
        self._state = _State(key=key)

    def _save(self) -> None:
        with atomic_write(self._state_path) as stream:
            stream.write(self._state.model_dump_json().encode())


class Sink:
    """Takes bytes, keeps the limit, and turns a full disk into an error that says so."""

    def __init__(self, stream: FileIO, path: Path, *, size_bytes: int, limit_bytes: int | None) -> None:
        self._stream = stream
        self._path = path
        self._limit = limit_bytes
        self.size_bytes = size_bytes

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            DownloadError: That would be more than the file may have.
            StoreError: They cannot be written.
        """
        if self._limit is not None and self.size_bytes + len(data) > self._limit:
            raise DownloadError(f"it is larger than the {self._limit:,} bytes that are expected")
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._stream.write(rest) :]
        except OSError as exc:
            raise _cannot_write(self._path, exc) from exc
        self.size_bytes += len(data)

    def flush(self) -> None:
        """Put everything on disk."""
        try:
            os.fsync(self._stream.fileno())
        except OSError as exc:
            raise _cannot_write(self._path, exc) from exc


def _cannot_write(path: Path, exc: OSError) -> StoreError:
    return StoreError(
        f"cannot write {str(path)!r}: {exc.strerror or exc}", hint="free some space, or set OURCLI_PATHS_MODELS"
    )
