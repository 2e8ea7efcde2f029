"""Token vectors in SQLite, `tokens.sqlite` beside the store: one row a record.

It is only a cache: whatever goes wrong with its file costs time, never an answer. Forgetting is the exception: what
cannot be erased there is an error.
"""

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
from anyio import CapacityLimiter, to_thread

from ourcli.common.clock import Clock
from ourcli.common.errors import StoreError
from ourcli.common.files import FILE_MODE, ensure_private_folder
from ourcli.common.forgetting import Erasure
from ourcli.memory.tokens import TokenKey, TokenVectors

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")

MAX_BYTES = 512_000_000
"""About 100,000 turns of a talk, or 20,000 pieces of files."""

TOUCH_AFTER_S = 3600
"""A row used again within this time is not written again."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tokens (
    id TEXT NOT NULL UNIQUE, digest TEXT NOT NULL, vectors INTEGER NOT NULL, data BLOB NOT NULL, crc INTEGER NOT NULL,
    bytes INTEGER NOT NULL, keep INTEGER NOT NULL, used INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS tokens_by_use ON tokens (keep, used, bytes);
"""
_PARAMETERS = 500
_TOUCHES = 256
_BUSY_S = 2.0
_UNCHECKED_SHARE = 20
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
_SUFFIXES = ("-wal", "-shm", "")  # the log goes first, so that nobody joins an old one to a new file


class SqliteTokenStore:
    """The cache as one file, 0600, shared by threads and processes (WAL), opened when it is first used.

    A damaged file is thrown away and begun anew, with a warning in the log. A write that fails (full disk, file
    locked for long) is skipped with one warning. The file may be deleted at any time. When a row was used is kept
    to the hour and written with the next vectors.

    Args:
        path: The file; its folder is made.
        clock: Says when a row was used.
        max_bytes: Bound on the vectors' bytes; each process may exceed it by a twentieth.
    """

    name = "token vectors"

    def __init__(self, path: Path, *, clock: Clock, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._clock = clock
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._limiter = CapacityLimiter(1)
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._touched: set[str] = set()
        self._unchecked = max_bytes  # a process that writes little looks once, or many of them would never look
        self._warned = False

    async def get(self, keys: Sequence[TokenKey]) -> dict[str, TokenVectors]:
        """Return what is there, by the record's id; what was kept under another digest is not there."""
        if not keys:
            return {}
        return await self._attempt(lambda connection: self._look_up(connection, keys), {})

    async def put(self, rows: Sequence[tuple[TokenKey, TokenVectors]], *, keep: bool) -> None:
        """Keep token vectors, one text a record, in the place of what was kept of it before."""
        now = int(self._clock.now().timestamp())
        values = [_to_row(key, vectors, keep=keep, used=now) for key, vectors in rows if len(vectors.scales)]
        if values:
            await self._attempt(lambda connection: self._store(connection, values), None)

    async def erase(self, what: Erasure) -> int:
        """Remove the vectors of these records; return how many went.

        Raises:
            StoreError: They could not be removed.
        """

        def delete(connection: sqlite3.Connection) -> int:
            self._touched.difference_update(what.ids)
            with _transaction(connection):
                deleted = connection.executemany("DELETE FROM tokens WHERE id = ?", [(one,) for one in what.ids])
                return max(deleted.rowcount, 0)

        return await self._or_start_over(delete, 0) if self._path.exists() else 0

    async def wipe(self) -> None:
        """Write the file anew, so that the bytes of what was removed are gone.

        Raises:
            StoreError: It could not be done.
        """

        def vacuum(connection: sqlite3.Connection) -> None:
            connection.execute("VACUUM")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise sqlite3.OperationalError("another process is reading it")

        if self._path.exists():
            await self._or_start_over(vacuum, None)

    def close(self) -> None:
        """Note what was used and close the file."""
        with self._lock:
            if self._connection is not None and self._touched:
                try:
                    self._write_touches(self._connection)
                except sqlite3.Error as exc:
                    _log.info("when token vectors were used was not noted: %s", exc)
            self._disconnect()

    async def _attempt(self, action: Callable[[sqlite3.Connection], _Result], otherwise: _Result) -> _Result:
        return await to_thread.run_sync(self._attempt_now, action, otherwise, limiter=self._limiter)

    def _attempt_now(self, action: Callable[[sqlite3.Connection], _Result], otherwise: _Result) -> _Result:
        with self._lock:
            try:
                return action(self._opened())
            except (sqlite3.Error, OSError, StoreError) as exc:
                self._get_over(exc)
                return otherwise

    async def _or_start_over(self, action: Callable[[sqlite3.Connection], _Result], otherwise: _Result) -> _Result:
        """Do what must not fail silently: where the file cannot be changed it is removed as a whole."""

        def run() -> _Result:
            with self._lock:
                try:
                    return action(self._opened())
                except (sqlite3.Error, OSError, StoreError) as exc:
                    self._remove(exc)
                    return otherwise

        return await to_thread.run_sync(run, limiter=self._limiter)

    def _get_over(self, exc: Exception) -> None:
        if _is_damage(exc):
            try:
                self._remove(exc)
            except StoreError as failure:
                _log.warning("working without stored token vectors: %s", failure.message)
        elif not self._warned:
            self._warned = True
            _log.warning("the token vectors in %s are not used for now: %s", self._path, exc)

    def _remove(self, cause: Exception) -> None:
        """Throw the file away; the next use makes a new one."""
        self._disconnect()
        self._touched.clear()
        _log.warning("the token vectors in %s cannot be used (%s); they are made anew", self._path, cause)
        try:
            for suffix in _SUFFIXES:
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        except OSError as exc:
            raise StoreError(
                f"cannot remove the token vectors {str(self._path)!r}: {exc.strerror or exc}",
                hint="delete the file by hand; it is made anew",
            ) from exc

    def _opened(self) -> sqlite3.Connection:
        """Return the connection to the file that stands there now: another process may have thrown one away."""
        if self._connection is not None:
            try:
                if self._path.stat().st_ino == self._inode:
                    return self._connection
            except FileNotFoundError:
                _log.info("the token vectors in %s were deleted; they are made anew", self._path)
            self._disconnect()
        ensure_private_folder(self._path.parent)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, FILE_MODE))
        connection = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "secure_delete = ON"):
                connection.execute(f"PRAGMA {pragma}")
            connection.executescript(_SCHEMA)
            self._inode = self._path.stat().st_ino
        except (sqlite3.Error, OSError):
            connection.close()  # one that is half set up would keep what is deleted
            raise
        self._connection = connection
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _look_up(self, connection: sqlite3.Connection, keys: Sequence[TokenKey]) -> dict[str, TokenVectors]:
        stale = int(self._clock.now().timestamp()) - TOUCH_AFTER_S
        digests = {key.id: key.digest for key in keys}
        ids = list(digests)
        found: dict[str, TokenVectors] = {}
        for start in range(0, len(ids), _PARAMETERS):
            part = ids[start : start + _PARAMETERS]
            query = (
                "SELECT id, digest, vectors, data, crc, used FROM tokens "  # noqa: S608 - only marks are put in
                f"WHERE id IN ({','.join('?' * len(part))})"
            )
            for record_id, digest, count, data, crc, used in connection.execute(query, part):
                if digest == digests[record_id] and zlib.crc32(data, count) == crc:
                    found[record_id] = _from_blob(data, count)
                    if used < stale:
                        self._touched.add(record_id)
        if len(self._touched) > _TOUCHES:
            self._write_touches(connection)
        return found

    def _store(self, connection: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
        with _transaction(connection):
            connection.executemany("INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._write_touches(connection)
        self._unchecked += sum(len(row[3]) for row in rows if isinstance(row[3], bytes))
        if self._unchecked > self._max_bytes // _UNCHECKED_SHARE:
            self._drop_oldest(connection)
            self._unchecked = 0

    def _write_touches(self, connection: sqlite3.Connection) -> None:
        touched, self._touched = self._touched, set()
        if touched:
            now = int(self._clock.now().timestamp())
            with _transaction(connection):
                connection.executemany("UPDATE tokens SET used = ? WHERE id = ?", [(now, one) for one in touched])

    def _drop_oldest(self, connection: sqlite3.Connection) -> None:
        """Drop a tenth more than the excess, what may be dropped first and was used longest ago first."""
        (total,) = connection.execute("SELECT coalesce(sum(bytes), 0) FROM tokens").fetchone()
        if total <= self._max_bytes:
            return
        with _transaction(connection):
            connection.execute(
                "DELETE FROM tokens WHERE rowid IN (SELECT rowid FROM ("
                "SELECT rowid, sum(bytes) OVER (ORDER BY keep, used, rowid) - bytes AS before FROM tokens"
                ") WHERE before < ?)",
                (total - self._max_bytes * 9 // 10,),
            )


def _to_row(key: TokenKey, vectors: TokenVectors, *, keep: bool, used: int) -> tuple[object, ...]:
    data = vectors.scales.astype("<f4").tobytes() + vectors.codes.tobytes()
    count = len(vectors.scales)
    return (key.id, key.digest, count, data, zlib.crc32(data, count), len(data), int(keep), used)


def _from_blob(data: bytes, count: int) -> TokenVectors:
    scales = np.frombuffer(data, dtype="<f4", count=count)
    codes = np.frombuffer(data, dtype=np.uint8)[4 * count :].reshape(count, -1)
    return TokenVectors(codes=codes, scales=scales)


def _is_damage(exc: Exception) -> bool:
    return isinstance(exc, sqlite3.Error) and getattr(exc, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        yield
