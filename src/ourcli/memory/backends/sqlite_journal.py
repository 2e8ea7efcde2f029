"""The write journal as one SQLite file: a change is acknowledged when its row is committed and fsynced."""

import errno
import json
import os
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from ourcli.common.errors import StoreError
from ourcli.common.files import FILE_MODE, ensure_private_folder, sync_folder
from ourcli.common.ids import RecordId
from ourcli.memory.journal import Change, JournalSize
from ourcli.memory.layers import Layer
from ourcli.memory.record import Record, Source, Trust

_BUSY_S = 30.0
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('upsert', 'delete')),
    id TEXT NOT NULL,
    layer TEXT,
    record TEXT,
    vector BLOB,
    crc INTEGER NOT NULL
) STRICT
"""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT}
_UNWRITABLE = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY}
_NO_WRITING = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EFBIG}


class SqliteJournal:
    """Changes in order, shared by threads and processes (WAL, `synchronous = FULL`), in a file of mode 0600.

    Two connections: reading never waits for the fsync of a write. Dropped rows are overwritten with zeros. Where
    nothing can be written (read-only or full disk) it can still be read, unless a killed process left a log behind.

    Args:
        path: The file; its folder is made.

    Raises:
        StoreError: The file cannot be made or read, is damaged, or was written by a later ourcli.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing, self._reading = Lock(), Lock()
        self._changes: tuple[Change, ...] = ()
        self._version: int | None = None
        self._frozen = ""
        with self._translated("cannot open the write journal"):
            try:
                _make_private_file(path)
                self._writer = self._connect()
                self._reader = self._connect()
            except (OSError, sqlite3.OperationalError) as exc:
                if not _is_unwritable(exc) or self._has_log():
                    raise
                self._frozen = _reason(exc)
                self._writer = self._reader = self._connect_frozen()

    def _has_log(self) -> bool:
        log = self._path.with_name(f"{self._path.name}-wal")
        return log.exists() and log.stat().st_size > 0

    def _connect_frozen(self) -> sqlite3.Connection:
        """Open the file to read only, where nothing can be written; without a log it is whole by itself."""
        if self._path.exists() and self._path.stat().st_size:
            place = f"{self._path.absolute().as_uri()}?immutable=1"
            return sqlite3.connect(place, uri=True, isolation_level=None, check_same_thread=False)
        empty = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        empty.execute(_SCHEMA)
        return empty

    def _refuse_frozen(self) -> None:
        if self._frozen:
            raise StoreError(f"cannot write to memory: {self._frozen}", hint="check free space and permissions")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            for pragma in ("synchronous = FULL", "fullfsync = ON", "checkpoint_fullfsync = ON", "secure_delete = ON"):
                connection.execute(f"PRAGMA {pragma}")
            self._prepare(connection)
        except (sqlite3.Error, StoreError):
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise StoreError(
                f"the write journal {str(self._path)!r} was written by a later ourcli (format {version})",
                hint="use that ourcli, or a newer one",
            )
        problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            raise self._damaged(problem)
        if version < _VERSION:
            with _transaction(connection):
                connection.execute(_SCHEMA)
                connection.execute(f"PRAGMA user_version = {_VERSION}")

    def append(self, changes: Sequence[Change]) -> JournalSize:
        """Write changes, all or none; when this returns they survive a power cut.

        Raises:
            StoreError: None of them was written (full disk, read-only folder, ...).
        """
        self._refuse_frozen()
        rows = [_to_row(change) for change in changes]
        with self._translated("cannot write to memory"), self._writing:
            with _transaction(self._writer):
                self._writer.executemany(
                    "INSERT INTO changes (kind, id, layer, record, vector, crc) VALUES (?, ?, ?, ?, ?, ?)", rows
                )
            return self._size()

    def _size(self) -> JournalSize:
        """Measure in constant time: rows leave from the front only, so places have no gaps."""
        first, last = self._writer.execute(
            "SELECT (SELECT min(seq) FROM changes), (SELECT max(seq) FROM changes)"
        ).fetchone()
        pages = self._writer.execute("PRAGMA page_count").fetchone()[0]
        free = self._writer.execute("PRAGMA freelist_count").fetchone()[0]
        page_bytes = self._writer.execute("PRAGMA page_size").fetchone()[0]
        return JournalSize(rows=0 if first is None else last - first + 1, bytes=(pages - free) * page_bytes)

    def changes(self) -> tuple[Change, ...]:
        """Return all changes in order; the same object as long as no process changed anything.

        Raises:
            StoreError: The file cannot be read, or a row is damaged.
        """
        with self._translated("cannot read the write journal"), self._reading:
            version = self._reader.execute("PRAGMA data_version").fetchone()[0]
            if version != self._version:
                self._changes = self._read()
                self._version = version
            return self._changes

    def _read(self) -> tuple[Change, ...]:
        known = {change.seq: change for change in self._changes}
        self._reader.execute("BEGIN")
        with self._reader:
            places = [seq for (seq,) in self._reader.execute("SELECT seq FROM changes ORDER BY seq")]
            rows = self._reader.execute(
                "SELECT seq, kind, id, layer, record, vector, crc FROM changes WHERE seq > ? ORDER BY seq",
                (max(known, default=0),),
            ).fetchall()
        known |= {row[0]: self._to_change(row) for row in rows}
        return tuple(known[seq] for seq in places)

    def _to_change(self, row: tuple[Any, ...]) -> Change:
        seq, kind, record_id, layer, record, vector, crc = row
        if _crc(kind, record_id, layer, record, vector) != crc:
            raise self._damaged(f"row {seq} is not what was written")
        if kind == "delete":
            return Change(seq=seq, id=record_id, row=None)
        return Change(seq=seq, id=record_id, row=(_from_json(record), np.frombuffer(vector, dtype="<f4")))

    def drop(self, last: int) -> None:
        """Remove the changes up to and with the place `last`: they are safe in the tables."""
        self._refuse_frozen()
        with self._translated("cannot write the journal"), self._writing, _transaction(self._writer):
            self._writer.execute("DELETE FROM changes WHERE seq <= ?", (last,))

    def close(self) -> None:
        """Let go of the file."""
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()

    def _damaged(self, problem: str) -> StoreError:
        return StoreError(
            f"the write journal {str(self._path)!r} is damaged: {problem}",
            hint="it may hold changes that are nowhere else: keep a copy of it and of the files "
            f"{self._path.name}-wal and -shm, then move all three aside; the tables hold the rest",
        )

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            if getattr(exc, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
                raise self._damaged(str(exc)) from exc
            raise StoreError(
                f"{doing}: {_reason(exc)}", hint=f"check free space and permissions of {str(self._path)!r}"
            ) from exc
        except OSError as exc:
            raise StoreError(f"{doing}: {_reason(exc)}", hint="check free space and permissions") from exc


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


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        yield


def _to_row(change: Change) -> tuple[object, ...]:
    if change.row is None:
        cells: tuple[str, str, str | None, str | None, bytes | None] = ("delete", change.id, None, None, None)
    else:
        record, vector = change.row
        blob = np.asarray(vector, dtype="<f4").tobytes()
        cells = ("upsert", change.id, record.layer.value, _to_json(record), blob)
    return (*cells, _crc(*cells))


def _crc(kind: str, record_id: str, layer: str | None, record: str | None, vector: bytes | None) -> int:
    head = json.dumps([kind, record_id, layer, record]).encode()
    return zlib.crc32(vector or b"", zlib.crc32(head))


def _to_json(record: Record) -> str:
    source = record.source
    return json.dumps(
        {
            "id": record.id,
            "text": record.text,
            "layer": record.layer.value,
            "ts": record.ts.astimezone(UTC).isoformat(),
            "kind": record.kind,
            "tags": record.tags,
            "project": record.project,
            "session": record.session,
            "speaker": record.speaker,
            "turn": record.turn,
            "source": None if source is None else [source.uri, source.lines, source.sha256],
            "parents": record.parents,
            "trust": record.trust.value,
            "model": record.model,
        }
    )


def _from_json(text: str) -> Record:
    cells = json.loads(text)
    return Record(
        id=RecordId(cells["id"]),
        text=cells["text"],
        layer=Layer(cells["layer"]),
        ts=datetime.fromisoformat(cells["ts"]),
        kind=cells["kind"],
        tags=tuple(cells["tags"]),
        project=cells["project"],
        session=cells["session"],
        speaker=cells["speaker"],
        turn=cells["turn"],
        source=_source(cells["source"]),
        parents=tuple(RecordId(parent) for parent in cells["parents"]),
        trust=Trust(cells["trust"]),
        model=cells["model"],
    )


def _source(cells: list[Any] | None) -> Source | None:
    if cells is None:
        return None
    uri, lines, sha256 = cells
    return Source(uri=uri, lines=None if lines is None else (lines[0], lines[1]), sha256=sha256)
