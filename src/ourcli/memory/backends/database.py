"""The store's one SQLite file: what is committed in it survives a power cut, all of a transaction or none."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from ourcli.common.errors import StoreError
from ourcli.common.files import FILE_MODE, ensure_private_folder, sync_folder
from ourcli.memory.backends.log_check import lost_transactions

DAMAGED_LOG = "-wal.damaged"
"""Ending of a log that was kept because SQLite does not read all of it; until it is repaired nothing is opened."""
_BUSY_S = 30.0
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT}
_UNWRITABLE = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY}
_NO_WRITING = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EFBIG}


class Database:
    """A file of mode 0600 that threads and processes share (WAL, `synchronous = FULL`); see `open_database`.

    Two connections: reading never waits for the fsync of a write. What is removed is overwritten with zeros. Where
    nothing can be written (read-only or full disk) it can still be read, unless a killed process left a log behind.

    Args:
        path: The file; its folder is made.
        steps: SQL that brings a file of format n to format n + 1, from an empty one on; the number of steps is the
            format of today.

    Raises:
        StoreError: The file cannot be made or read, is damaged, or was written by a later ourcli.
    """

    def __init__(self, path: Path, steps: Sequence[str]) -> None:
        self.path = path
        self._steps = steps
        self._writing, self._reading = Lock(), Lock()
        self._frozen = ""
        with self._translated("cannot open the write journal"):
            if self._beside(DAMAGED_LOG).exists():
                raise self.damaged("a part of its log cannot be read")
            try:
                _make_private_file(path)
                self._writer = self._connect()
                self._reader = self._connect()
            except (OSError, sqlite3.OperationalError) as exc:
                if not _is_unwritable(exc) or self._has_log():
                    raise
                self._frozen = _reason(exc)
                self._writer = self._reader = self._connect_frozen()

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written where the file is."""
        return bool(self._frozen)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read one state of the file, whatever is written meanwhile; blocks the other readers of this object.

        Raises:
            StoreError: It cannot be read.
        """
        with self._translated("cannot read the memory's journal"), self._reading, self._transaction(self._reader, ""):
            yield self._reader

    def data_version(self) -> int | None:
        """Return SQLite's number that grows with every change of others; None when it is not known at once."""
        if not self._reading.acquire(blocking=False):
            return None
        try:
            return int(self._reader.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error:  # the next reading meets it too, and tells
            return None
        finally:
            self._reading.release()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Write all of a block or, when it raises, none of it; after it, it survives a power cut.

        Raises:
            StoreError: Nothing was written (full disk, read-only folder, ...).
        """
        if self._frozen:
            raise StoreError(f"cannot write to memory: {self._frozen}", hint="check free space and permissions")
        with self._translated("cannot write to memory"), self._writing, self._transaction(self._writer, "IMMEDIATE"):
            yield self._writer

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection, kind: str) -> Iterator[None]:
        connection.execute(f"BEGIN {kind}")
        with connection:
            yield

    def close(self) -> None:
        """Let go of the file."""
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()

    def damaged(self, problem: str) -> StoreError:
        """Return the error that says what is wrong with the file and what to do about it."""
        return StoreError(
            f"the write journal {str(self.path)!r} is damaged: {problem}",
            hint="it may hold changes that are nowhere else; `ourcli doctor --repair` saves them and keeps the file",
        )

    def wipe(self) -> None:
        """Write the whole file anew, so that nothing that was removed stands in it or in its log any more.

        Raises:
            StoreError: It could not be done, for example while another process reads.
        """
        with self._translated("cannot write the memory's journal anew"), self._writing:
            self._writer.execute("VACUUM")
            busy, _, _ = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreError("the memory's journal is in use by another process", hint="try again")

    def _keep_log(self) -> None:
        """Keep the damaged log: SQLite removes it when the file is closed, and with it the only trace of the damage."""
        shutil.copyfile(self._beside("-wal"), self._beside(DAMAGED_LOG))

    def _beside(self, ending: str) -> Path:
        return self.path.with_name(f"{self.path.name}{ending}")

    def _has_log(self) -> bool:
        log = self._beside("-wal")
        return log.exists() and log.stat().st_size > 0

    def _connect_frozen(self) -> sqlite3.Connection:
        """Open the file to read only, where nothing can be written; without a log it is whole by itself."""
        if self.path.exists() and self.path.stat().st_size:
            place = f"{self.path.absolute().as_uri()}?immutable=1"
            return self._with_later_tables(
                sqlite3.connect(place, uri=True, isolation_level=None, check_same_thread=False)
            )
        empty = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        return self._with_later_tables(empty)

    def _with_later_tables(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """Give a file of an earlier format, which may not be changed, the tables it lacks, empty and in memory."""
        for step in self._steps[self._format(connection) :]:
            for statement in _statements(step.replace("EXISTS ", "EXISTS temp.")):
                connection.execute(statement)
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = self._opened()
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            for pragma in ("synchronous = FULL", "fullfsync = ON", "checkpoint_fullfsync = ON", "secure_delete = ON"):
                connection.execute(f"PRAGMA {pragma}")
            self._prepare(connection)
        except (sqlite3.Error, StoreError):
            connection.close()
            raise
        return connection

    def _opened(self) -> sqlite3.Connection:
        """Open the file; the tests do so on a disk that can lose power."""
        return sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = self._format(connection)
        problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            raise self.damaged(problem)
        if lost := lost_transactions(self.path):
            self._keep_log()
            raise self.damaged(f"{lost} transactions stand behind a damaged place of its log")
        if version == len(self._steps):
            return
        with self._transaction(connection, "IMMEDIATE"):
            for step in self._steps[self._format(connection) :]:  # another process may have been faster
                for statement in _statements(step):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(self._steps)}")

    def _format(self, connection: sqlite3.Connection) -> int:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(self._steps):
            raise StoreError(
                f"the write journal {str(self.path)!r} was written by a later ourcli (format {version})",
                hint="use that ourcli, or a newer one",
            )
        return version

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            if getattr(exc, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
                raise self.damaged(str(exc)) from exc
            raise StoreError(
                f"{doing}: {_reason(exc)}", hint=f"check free space and permissions of {str(self.path)!r}"
            ) from exc
        except OSError as exc:
            raise StoreError(f"{doing}: {_reason(exc)}", hint="check free space and permissions") from exc


def _statements(script: str) -> Iterator[str]:
    """Cut a script into statements: SQLite's own way of running one commits what was begun before."""
    statement = ""
    for piece in script.split(";"):
        statement += f"{piece};"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _make_private_file(path: Path) -> None:
    """Make the file and make its name survive a power cut; SQLite gives its helpers the same mode."""
    ensure_private_folder(path.parent)
    is_new = not path.exists()
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE))
    if is_new:
        sync_folder(path.parent)
        sync_folder(path.parent.parent)


def _is_unwritable(exc: OSError | sqlite3.Error) -> bool:
    if isinstance(exc, OSError):
        return exc.errno in _NO_WRITING
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF in _UNWRITABLE


def _reason(exc: OSError | sqlite3.Error) -> str:
    if isinstance(exc, OSError):
        return exc.strerror or str(exc)
    if getattr(exc, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
        return os.strerror(errno.ENOSPC)
    return str(exc)
