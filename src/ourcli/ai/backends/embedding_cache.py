"""Vectors of earlier texts in SQLite, keyed by (model digest, prompt kind, sha256 of the text).

It is only a cache: whatever goes wrong with its file costs time, never an answer.
"""

import hashlib
import logging
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TypeVar

import numpy as np
from filelock import FileLock, Timeout

from ourcli.ai.ports import EmbeddingCache, Matrix, PromptKind
from ourcli.common.clock import Clock
from ourcli.common.errors import StoreError
from ourcli.common.files import FILE_MODE, ensure_private_folder

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")

MAX_ROWS = 50_000
"""About 100 MB with 384 numbers a vector."""

TOUCH_AFTER_S = 3600
"""A row used again within this time is not written again."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
    model TEXT NOT NULL, kind TEXT NOT NULL, text BLOB NOT NULL,
    vector BLOB NOT NULL, crc INTEGER NOT NULL, used INTEGER NOT NULL,
    UNIQUE (model, kind, text)
) STRICT;
CREATE INDEX IF NOT EXISTS vectors_by_use ON vectors (used);
"""
_LOOKUP = 500  # texts a query, below SQLite's bound on parameters
_TOUCHES = 256
_BUSY_S = 2.0
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}


class NullCache:
    """Remember nothing: for a home that cannot be written, and for benchmarks."""

    def get(self, model: str, kind: PromptKind, texts: Sequence[str]) -> dict[int, Matrix]:  # noqa: ARG002 - the port's
        """Return nothing."""
        return {}

    def put(self, model: str, kind: PromptKind, texts: Sequence[str], vectors: Matrix) -> None:
        """Keep nothing."""

    def close(self) -> None:
        """Do nothing."""


def open_embedding_cache(path: Path, *, clock: Clock, max_rows: int = MAX_ROWS) -> EmbeddingCache:
    """Return the cache in `path`, or, with one warning, none where the file cannot be made or written."""
    try:
        return SqliteEmbeddingCache(path, clock=clock, max_rows=max_rows)
    except StoreError as exc:
        _log.warning("working without the embedding cache: %s", exc.message)
        return NullCache()


class SqliteEmbeddingCache:
    """The cache as one file, 0600, shared by threads and processes (WAL).

    Old rows go in batches when `max_rows` is exceeded, least recently used first. When a row was used is
    kept to the hour and written with the next vectors. A damaged file is moved aside and begun anew. A
    write that fails (full disk, file locked for long) is skipped with one warning a process.

    Args:
        path: The file; its folder is made.
        clock: Says when a row was used.
        max_rows: Bound on the number of vectors; each process may exceed it by a twentieth.

    Raises:
        StoreError: The file cannot be made or written.
    """

    def __init__(self, path: Path, *, clock: Clock, max_rows: int = MAX_ROWS) -> None:
        self._path = path
        self._clock = clock
        self._max_rows = max_rows
        self._lock = Lock()
        self._touched: set[int] = set()
        self._unchecked = 0
        self._warned = False
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        try:
            self._open()
        except sqlite3.Error as exc:
            if not _is_damage(exc):
                raise StoreError(f"cannot open the embedding cache {str(path)!r}: {exc}") from exc
            self._begin_anew(exc)

    def get(self, model: str, kind: PromptKind, texts: Sequence[str]) -> dict[int, Matrix]:
        """Return the vectors that are known, by position in `texts`; shape [dims] each."""
        return self._attempt(lambda connection: self._look_up(connection, model, kind, texts), {})

    def put(self, model: str, kind: PromptKind, texts: Sequence[str], vectors: Matrix) -> None:
        """Keep vectors, dropping the least recently used beyond the bound."""
        now = int(self._clock.now().timestamp())
        blobs = [row.astype("<f4").tobytes() for row in vectors]
        rows = [
            (model, kind.value, _text_key(text), blob, zlib.crc32(blob), now)
            for text, blob in zip(texts, blobs, strict=True)
        ]
        self._attempt(lambda connection: self._store(connection, rows), None)

    def close(self) -> None:
        """Note what was used and close the file."""
        self._attempt(self._write_touches, None)
        with self._lock:
            self._disconnect()

    def _look_up(
        self, connection: sqlite3.Connection, model: str, kind: PromptKind, texts: Sequence[str]
    ) -> dict[int, Matrix]:
        stale = int(self._clock.now().timestamp()) - TOUCH_AFTER_S
        keys = [_text_key(text) for text in texts]
        known: dict[bytes, Matrix] = {}
        for start in range(0, len(keys), _LOOKUP):
            part = keys[start : start + _LOOKUP]
            query = (
                "SELECT rowid, text, vector, crc, used FROM vectors WHERE model = ? AND kind = ? "  # noqa: S608
                f"AND text IN ({','.join('?' * len(part))})"
            )
            for row, key, blob, crc, used in connection.execute(query, (model, kind.value, *part)):
                if zlib.crc32(blob) == crc:
                    known[key] = np.frombuffer(blob, dtype="<f4")
                    if used < stale:
                        self._touched.add(row)
        if len(self._touched) > _TOUCHES:
            self._write_touches(connection)
        return {position: known[key] for position, key in enumerate(keys) if key in known}

    def _store(self, connection: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
        with _transaction(connection):
            connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?, ?, ?)", rows)
        if self._touched:
            self._write_touches(connection)
        self._unchecked += len(rows)
        if self._unchecked > self._max_rows // 20:
            self._drop_oldest(connection)
            self._unchecked = 0

    def _write_touches(self, connection: sqlite3.Connection) -> None:
        touched, self._touched = self._touched, set()
        if touched:
            now = int(self._clock.now().timestamp())
            with _transaction(connection):
                connection.executemany("UPDATE vectors SET used = ? WHERE rowid = ?", [(now, row) for row in touched])

    def _drop_oldest(self, connection: sqlite3.Connection) -> None:
        (count,) = connection.execute("SELECT count(*) FROM vectors").fetchone()
        if count <= self._max_rows:
            return
        excess = count - self._max_rows * 9 // 10
        with _transaction(connection):
            connection.execute(
                "DELETE FROM vectors WHERE rowid IN (SELECT rowid FROM vectors ORDER BY used, rowid LIMIT ?)", (excess,)
            )

    def _attempt(self, action: Callable[[sqlite3.Connection], _Result], otherwise: _Result) -> _Result:
        with self._lock:
            if self._connection is None:
                return otherwise
            try:
                return action(self._connection)
            except sqlite3.Error as exc:
                if _is_damage(exc):
                    self._begin_anew(exc)
                elif not self._warned:
                    self._warned = True
                    _log.warning("the embedding cache %s is not used for now: %s", self._path, exc)
                return otherwise

    def _open(self) -> None:
        _make_private_file(self._path)
        connection = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        self._connection, self._inode = connection, self._path.stat().st_ino
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_SCHEMA)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _begin_anew(self, cause: sqlite3.Error) -> None:
        """Move the damaged file aside, unless another process already did, and open an empty one."""
        self._disconnect()
        self._touched.clear()
        try:
            with FileLock(f"{self._path}.lock", timeout=_BUSY_S, mode=FILE_MODE):
                if self._path.stat().st_ino == self._inode:
                    _log.warning("the embedding cache %s is damaged (%s); it is begun anew", self._path, cause)
                    _move_aside(self._path)
                self._open()
        except (OSError, Timeout, sqlite3.Error, StoreError) as exc:
            self._disconnect()
            _log.warning("working without the embedding cache %s: %s", self._path, exc)


def _text_key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _is_damage(exc: sqlite3.Error) -> bool:
    code = getattr(exc, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGED


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        yield


def _make_private_file(path: Path) -> None:
    ensure_private_folder(path.parent)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE))
    except OSError as exc:
        raise StoreError(f"cannot write the embedding cache {str(path)!r}: {exc.strerror or exc}") from exc


def _move_aside(path: Path) -> None:
    """Rename the write-ahead log before the file, so that nobody joins the old one to a new file."""
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    path.replace(path.with_name(f"{path.name}.damaged"))
