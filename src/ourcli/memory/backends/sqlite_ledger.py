"""The ledger in the store's SQLite file: written in the transaction that does what it tells."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from anyio import to_thread

from ourcli.common.errors import StoreConflictError
from ourcli.common.ids import first_id
from ourcli.memory.backends.database import Database
from ourcli.memory.backends.record_json import from_json, to_json
from ourcli.memory.backends.sqlite_usage import write_pins
from ourcli.memory.backends.sqlite_values import marks, microseconds, moment, pieces
from ourcli.memory.ledger import PINNED, Image, LedgerEntry, SourceDigest, Verb, holds

SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    verb TEXT NOT NULL,
    rule TEXT NOT NULL,
    rule_version TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    inputs TEXT NOT NULL,
    layers TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    undoes TEXT UNIQUE,
    undone_by TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS ledger_at ON ledger (at_us);
CREATE TABLE IF NOT EXISTS ledger_images (
    entry INTEGER NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('before', 'after')),
    place INTEGER NOT NULL,
    record_id TEXT NOT NULL,
    record TEXT NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (entry, side, place)
) STRICT;
CREATE TABLE IF NOT EXISTS ledger_records (
    record_id TEXT NOT NULL,
    entry INTEGER NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('touched', 'source')),
    place INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (entry, role, place)
) STRICT;
CREATE INDEX IF NOT EXISTS ledger_records_by_id ON ledger_records (record_id);
"""
_COLUMNS = "seq, id, verb, rule, rule_version, at_us, inputs, layers, trace_id, undoes, undone_by"


def write_entries(connection: sqlite3.Connection, entries: Sequence[LedgerEntry]) -> None:
    """Write entries inside of the transaction that does what they tell.

    Entries that set or take pins (`inputs["pinned"]`) do so here. Whether the records are still as `before` tells is
    the caller's to check.

    Raises:
        StoreConflictError: What one of them undoes is undone already, or is not there; roll back.
        sqlite3.Error: They could not be written; roll back.
    """
    for entry in entries:
        if entry.undoes is not None:
            _mark_undone(connection, entry.undoes, entry.id)
        _write(connection, entry)
        pinned = entry.inputs.get(PINNED)
        if isinstance(pinned, bool):
            write_pins(connection, entry.touched, pinned=pinned)


def _write(connection: sqlite3.Connection, entry: LedgerEntry) -> None:
    cursor = connection.execute(
        "INSERT INTO ledger (id, verb, rule, rule_version, at_us, inputs, layers, trace_id, undoes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            entry.id,
            entry.verb.value,
            entry.rule,
            entry.rule_version,
            microseconds(entry.at),
            json.dumps(dict(entry.inputs)),
            json.dumps({record_id: list(layers) for record_id, layers in entry.layers.items()}),
            entry.trace_id,
            entry.undoes,
        ),
    )
    seq = cursor.lastrowid
    for side, images in (("before", entry.before), ("after", entry.after)):
        rows = [(seq, side, place, one.record.id, to_json(one.record), _blob(one)) for place, one in enumerate(images)]
        connection.executemany("INSERT INTO ledger_images VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.executemany(
        "INSERT INTO ledger_records VALUES (?, ?, ?, ?, ?)",
        [
            *((one, seq, "touched", place, "") for place, one in enumerate(entry.touched)),
            *((one.id, seq, "source", place, one.sha256) for place, one in enumerate(entry.sources)),
        ],
    )


def _mark_undone(connection: sqlite3.Connection, entry_id: str, undone_by: str) -> None:
    done = connection.execute(
        "UPDATE ledger SET undone_by = ? WHERE id = ? AND undone_by IS NULL", (undone_by, entry_id)
    )
    if done.rowcount != 1:
        raise StoreConflictError(f"the move {entry_id!r} is undone already", hint="nothing was done")


def _blob(image: Image) -> bytes:
    return np.asarray(image.vector, dtype="<f4").tobytes()


class SqliteLedger:
    """Reads the ledger; a `Ledger`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entry(self, entry_id: str) -> LedgerEntry | None:
        """Return one entry, or None."""
        found = await to_thread.run_sync(self._select, "WHERE id = ?", (entry_id,))
        return found[0][1] if found else None

    async def of_records(self, ids: Sequence[str]) -> list[LedgerEntry]:
        """Return the entries that touched any of these records, or name one as a source, as they were written."""
        found: dict[int, LedgerEntry] = {}
        for some in pieces(tuple(dict.fromkeys(ids))):
            where = f"WHERE seq IN (SELECT entry FROM ledger_records WHERE record_id IN ({marks(some)}))"  # noqa: S608
            found |= dict(await to_thread.run_sync(self._select, where, tuple(some)))
        return [found[seq] for seq in sorted(found)]

    async def since(self, at: datetime | None, *, limit: int | None = None) -> list[LedgerEntry]:
        """Return the entries from `at` on (None: all), those that were written last first."""
        where = "" if at is None else "WHERE at_us >= ?"
        values = [] if at is None else [microseconds(at)]
        order = f"{where} ORDER BY seq DESC LIMIT ?"
        found = await to_thread.run_sync(self._select, order, (*values, -1 if limit is None else limit))
        return [one for _, one in found]

    async def settled(self) -> dict[str, datetime]:
        """Return when each record came to its layer by a promotion, demotion or summary that still holds."""
        return await to_thread.run_sync(self._settled)

    def _settled(self) -> dict[str, datetime]:
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id, verb, at_us, layers, undone_by FROM ledger"
                " WHERE verb IN ('promote', 'demote', 'summarise', 'undo') ORDER BY seq"
            ).fetchall()
        undone_by = {row[0]: row[4] for row in rows}
        found: dict[str, datetime] = {}
        for entry_id, verb, at_us, layers, _ in rows:
            if verb != Verb.UNDO and holds(entry_id, undone_by):
                moved = (one for one, (was, became) in json.loads(layers).items() if became and was != became)
                found |= dict.fromkeys(moved, moment(at_us))
        return found

    async def taken_back(self) -> frozenset[tuple[str, SourceDigest]]:
        """Return which version of a rule moved which text in a move that a person took back and that stays so."""
        return await to_thread.run_sync(self._taken_back)

    def _taken_back(self) -> frozenset[tuple[str, SourceDigest]]:
        with self._database.reading() as connection:
            undone_by = dict(
                connection.execute("SELECT id, undone_by FROM ledger WHERE undone_by IS NOT NULL OR verb = 'undo'")
            )
            sources = connection.execute(
                "SELECT one.id, one.rule_version, source.record_id, source.sha256 FROM ledger AS one"
                " JOIN ledger_records AS source ON source.entry = one.seq AND source.role = 'source'"
                " WHERE one.undone_by IS NOT NULL AND one.rule_version <> ''"
            ).fetchall()
        return frozenset(
            (rule_version, SourceDigest(id=record_id, sha256=digest))
            for entry_id, rule_version, record_id, digest in sources
            if not holds(entry_id, undone_by)
        )

    async def trim(self, before: datetime) -> int:
        """Drop the images (not the digests) of entries written before a moment; return how many lost theirs."""
        return await to_thread.run_sync(self._trim, first_id(before))

    def _trim(self, first_kept: str) -> int:
        old = "entry IN (SELECT seq FROM ledger WHERE id < ?)"
        with self._database.writing() as connection:
            counted = f"SELECT count(DISTINCT entry) FROM ledger_images WHERE {old}"  # noqa: S608  # a constant
            (entries,) = connection.execute(counted, (first_kept,)).fetchone()
            connection.execute(f"DELETE FROM ledger_images WHERE {old}", (first_kept,))  # noqa: S608  # a constant
        return int(entries)

    def _select(self, clause: str, values: tuple[object, ...]) -> list[tuple[int, LedgerEntry]]:
        """Return the places and entries that a clause names."""
        with self._database.reading() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM ledger {clause}", values).fetchall()  # noqa: S608
            return list(zip((row[0] for row in rows), _entries(connection, rows), strict=True))


def _entries(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> list[LedgerEntry]:
    """Return rows of the ledger with what belongs to them, a statement for each piece of rows and kind."""
    images: dict[tuple[int, str], list[Image]] = {}
    records: dict[tuple[int, str], list[SourceDigest]] = {}
    for some in pieces([row[0] for row in rows]):
        within = f"WHERE entry IN ({marks(some)}) ORDER BY entry, place"
        for entry, side, record, vector in connection.execute(
            f"SELECT entry, side, record, vector FROM ledger_images {within}",  # noqa: S608  # question marks only
            some,
        ):
            image = Image(record=from_json(record), vector=np.frombuffer(vector, dtype="<f4"))
            images.setdefault((entry, side), []).append(image)
        for entry, role, record_id, digest in connection.execute(
            f"SELECT entry, role, record_id, sha256 FROM ledger_records {within}",  # noqa: S608  # question marks only
            some,
        ):
            records.setdefault((entry, role), []).append(SourceDigest(id=record_id, sha256=digest))
    return [_entry(row, images, records) for row in rows]


def _entry(
    row: tuple[Any, ...],
    images: dict[tuple[int, str], list[Image]],
    records: dict[tuple[int, str], list[SourceDigest]],
) -> LedgerEntry:
    seq, entry_id, verb, rule, rule_version, at_us, inputs, layers, trace_id, undoes, undone_by = row
    return LedgerEntry(
        id=entry_id,
        verb=Verb(verb),
        rule=rule,
        rule_version=rule_version,
        at=moment(at_us),
        inputs=json.loads(inputs),
        before=tuple(images.get((seq, "before"), ())),
        after=tuple(images.get((seq, "after"), ())),
        touched=tuple(one.id for one in records.get((seq, "touched"), ())),
        layers={record_id: (was, became) for record_id, (was, became) in json.loads(layers).items()},
        sources=tuple(records.get((seq, "source"), ())),
        trace_id=trace_id,
        undoes=undoes,
        undone_by=undone_by,
    )
