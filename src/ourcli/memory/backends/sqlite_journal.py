"""The write journal in the store's SQLite file: a change is acknowledged when its row is committed and fsynced."""

import json
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ourcli.memory.backends.database import Database
from ourcli.memory.backends.record_json import from_json, to_json
from ourcli.memory.backends.sqlite_guard import last_change, refuse_changed
from ourcli.memory.backends.sqlite_ledger import write_entries
from ourcli.memory.journal import Change, JournalSize, Safe, Unchanged
from ourcli.memory.ledger import LedgerEntry

SCHEMA = """
CREATE TABLE IF NOT EXISTS changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('upsert', 'delete')),
    id TEXT NOT NULL,
    layer TEXT,
    record TEXT,
    vector BLOB,
    crc INTEGER NOT NULL
) STRICT;
"""
SAFE_SCHEMA = """
CREATE TABLE IF NOT EXISTS safe_versions (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    boot TEXT NOT NULL
) STRICT;
"""


class SqliteJournal:
    """Changes in order, in a file that its owner opens and closes; dropped rows are overwritten with zeros."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changes: tuple[Change, ...] = ()
        self._version: int | None = None
        self._first = 0
        self._bytes = 0

    def append(
        self, changes: Sequence[Change], entries: Sequence[LedgerEntry] = (), unchanged: Unchanged | None = None
    ) -> JournalSize:
        """Write changes and why, all or none; when this returns they survive a power cut.

        Raises:
            StoreConflictError: A record is not `unchanged`, or an entry undoes what is undone; none was written.
            StoreError: None of them was written (full disk, read-only folder, ...).
        """
        rows = [_to_row(change) for change in changes]
        with self._database.writing() as connection:
            if unchanged is not None:
                refuse_changed(connection, unchanged.ids, unchanged.since)
            connection.executemany(
                "INSERT INTO changes (kind, id, layer, record, vector, crc) VALUES (?, ?, ?, ?, ?, ?)", rows
            )
            write_entries(connection, entries)
            first, last = connection.execute(
                "SELECT (SELECT min(seq) FROM changes), (SELECT max(seq) FROM changes)"
            ).fetchone()
        return self._size(first, last, sum(len(row[3] or "") + len(row[4] or b"") for row in rows))

    def _size(self, first: int | None, last: int, added: int) -> JournalSize:
        """Measure in constant time: rows leave from the front only, so places have no gaps."""
        if first != self._first:
            self._first, self._bytes = first or 0, 0
        self._bytes += added
        return JournalSize(rows=0 if first is None else last - first + 1, bytes=self._bytes)

    def last_change(self) -> int:
        """Return the place of the last change that was ever written, 0 for none."""
        with self._database.reading() as connection:
            return last_change(connection)

    def changes(self) -> tuple[Change, ...]:
        """Return all changes in order; the same object as long as no process changed them.

        Raises:
            StoreError: The file cannot be read, or a row is damaged.
        """
        with self._database.reading() as connection:
            version = connection.execute("PRAGMA data_version").fetchone()[0]
            if version != self._version:
                self._changes = self._read(connection)
                self._version = version
            return self._changes

    def is_current(self, changes: tuple[Change, ...]) -> bool:
        """Say whether `changes` would return this; never waits: False where that is not known."""
        version = self._version
        return version is not None and changes is self._changes and self._database.data_version() == version

    def _read(self, connection: sqlite3.Connection) -> tuple[Change, ...]:
        known = {change.seq: change for change in self._changes}
        places = [seq for (seq,) in connection.execute("SELECT seq FROM changes ORDER BY seq")]
        if places == list(known):
            return self._changes
        rows = connection.execute(
            "SELECT seq, kind, id, layer, record, vector, crc FROM changes WHERE seq > ? ORDER BY seq",
            (max(known, default=0),),
        )
        known |= {row[0]: self._to_change(row) for row in rows}
        return tuple(known[seq] for seq in places)

    def _to_change(self, row: tuple[Any, ...]) -> Change:
        change = to_change(row)
        if change is None:
            raise self._database.damaged(f"row {row[0]} is not what was written")
        return change

    def drop(self, last: int, safe: Mapping[str, int], boot: str) -> None:
        """Remove the changes up to and with the place `last`, and note the tables' versions that hold them."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM changes WHERE seq <= ?", (last,))
            connection.executemany(
                "INSERT INTO safe_versions (name, version, boot) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
                " version = iif(boot = excluded.boot, max(version, excluded.version), excluded.version),"
                " boot = excluded.boot",
                [(name, version, boot) for name, version in safe.items()],
            )

    def safe(self) -> dict[str, Safe]:
        """Return for each table the last version that was noted."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT name, version, boot FROM safe_versions").fetchall()
        return {name: Safe(version=version, boot=boot) for name, version, boot in rows}

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written where the file is."""
        return self._database.read_only

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


def to_change(row: Sequence[Any]) -> Change | None:
    """Return a row (seq, kind, id, layer, record, vector, crc) as a change; None when it is not what was written."""
    seq, kind, record_id, layer, record, vector, crc = row
    if _crc(kind, record_id, layer, record, vector) != crc:
        return None
    if kind == "delete":
        return Change(seq=seq, id=record_id, row=None)
    return Change(seq=seq, id=record_id, row=(from_json(record), np.frombuffer(vector, dtype="<f4")))


def _to_row(change: Change) -> tuple[str, str, str | None, str | None, bytes | None, int]:
    cells: tuple[str, str, str | None, str | None, bytes | None] = ("delete", change.id, None, None, None)
    if change.row is not None:
        record, vector = change.row
        blob = np.asarray(vector, dtype="<f4").tobytes()
        cells = ("upsert", change.id, record.layer.value, to_json(record), blob)
    return (*cells, _crc(*cells))


def _crc(kind: str, record_id: str, layer: str | None, record: str | None, vector: bytes | None) -> int:
    head = json.dumps([kind, record_id, layer, record]).encode()
    return zlib.crc32(vector or b"", zlib.crc32(head))
