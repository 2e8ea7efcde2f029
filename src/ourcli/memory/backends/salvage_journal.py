"""Saves what a damaged journal still holds: changes by their checksums, other tables as far as SQLite reads them."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from ourcli.common.errors import StoreError
from ourcli.common.files import sync_folder
from ourcli.memory.backends.database import DAMAGED_LOG, Database
from ourcli.memory.backends.rollback import keep_aside
from ourcli.memory.backends.salvage_pages import Pages, Row
from ourcli.memory.backends.schema import JOURNAL, open_database
from ourcli.memory.backends.sqlite_journal import SqliteJournal, to_change

_PARTS = ("", "-wal", "-shm", DAMAGED_LOG)
_MADE, _READY = "new.sqlite", "journal.ready"
_COLUMNS = 7
_OTHERS = (
    "ledger",
    "ledger_images",
    "ledger_records",
    "usage",
    "usage_queries",
    "pins",
    "inbox",
    "inbox_records",
    "safe_versions",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedJournal:
    """What came of a journal.

    Attributes:
        problem: What was wrong with it, "" for nothing.
        changes: Changes that were saved.
        moved: Where the damaged files are.
    """

    problem: str = ""
    changes: int = 0
    moved: tuple[Path, ...] = ()


async def save_journal(folder: Path) -> SavedJournal:
    """Put a whole journal in the place of a damaged one.

    Raises:
        StoreError: The new one cannot be written.
    """
    return await to_thread.run_sync(_save, folder)


def _save(folder: Path) -> SavedJournal:
    work = folder / ".repair"
    if (work / _READY).exists():  # the last repair was cut off here
        _swap(folder, work)
    problem = journal_problem(folder)
    if not problem:
        return SavedJournal()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    for part in _PARTS:
        if (folder / f"{JOURNAL}{part}").exists():
            shutil.copy2(folder / f"{JOURNAL}{part}", work / f"{JOURNAL}{part}")
    rows = _changes(work)
    with closing(open_database(work / _MADE)) as database:
        _write(database, rows)
        for table in _OTHERS:
            _copy(work / JOURNAL, database, table)
        _keep_place(work / JOURNAL, database)
        database.wipe()
    moved = tuple(keep_aside(folder, path) for part in _PARTS if (path := folder / f"{JOURNAL}{part}").exists())
    (work / _READY).touch()
    sync_folder(work)
    _swap(folder, work)
    return SavedJournal(problem=problem, changes=len(rows), moved=moved)


def _swap(folder: Path, work: Path) -> None:
    """Put the new file in the place of the damaged one, of which a copy is kept; cut off, the next repair does it."""
    for part in ("-wal", "-shm"):
        (folder / f"{JOURNAL}{part}").unlink(missing_ok=True)
    if (work / _MADE).exists():
        (work / _MADE).replace(folder / JOURNAL)
    (folder / f"{JOURNAL}{DAMAGED_LOG}").unlink(missing_ok=True)
    sync_folder(folder)
    shutil.rmtree(work)


def journal_problem(folder: Path) -> str:
    """Return what is wrong with the journal, "" for nothing."""
    if not (folder / JOURNAL).exists():
        return ""
    try:
        with closing(open_database(folder / JOURNAL)) as database:
            if database.read_only:
                raise StoreError("cannot repair the memory: it cannot be written", hint="check its permissions")
            SqliteJournal(database).changes()
            with database.reading() as connection:
                return _integrity(connection, folder / JOURNAL)
    except StoreError as exc:
        if "damaged" not in exc.message:
            raise
        return exc.message


def _integrity(connection: sqlite3.Connection, path: Path) -> str:
    found = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
    return "" if found == "ok" else f"the write journal {str(path)!r} is damaged: {found}"


def _changes(work: Path) -> list[tuple[int, Row]]:
    """Return the changes that stand in any page as they were written, in order; of a place the newest."""
    file = (work / JOURNAL).read_bytes() if (work / JOURNAL).exists() else b""
    logs = [work / f"{JOURNAL}{part}" for part in (DAMAGED_LOG, "-wal")]
    log = next((path.read_bytes() for path in logs if path.exists() and path.stat().st_size), b"")
    found: dict[int, Row] = {}
    for seq, row in Pages(file, log).rows(_COLUMNS):
        if _is_change(seq, row):
            found[seq] = row
    return sorted(found.items())


def _is_change(seq: int, row: Row) -> bool:
    try:
        return row[0] is None and to_change((seq, *row[1:])) is not None
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _write(database: Database, rows: list[tuple[int, Row]]) -> None:
    with database.writing() as connection:
        connection.executemany(
            "INSERT INTO changes (seq, kind, id, layer, record, vector, crc) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(seq, *row[1:]) for seq, row in rows],
        )


def _copy(old: Path, database: Database, table: str) -> None:
    """Copy the rows of a table that SQLite can read; from the other end too where it meets damage."""
    with closing(sqlite3.connect(old)) as source, database.writing() as connection:
        for row in _readable(source, table):
            marks = ", ".join("?" * len(row))
            with suppress(sqlite3.Error):  # a row that is damaged so that it is no row any more
                connection.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)  # noqa: S608  # our names


def _keep_place(old: Path, database: Database) -> None:
    """Never give the place of a change again."""
    known = None
    with closing(sqlite3.connect(old)) as source, suppress(sqlite3.Error):
        known = source.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchone()
    if known:
        with database.writing() as connection:
            connection.execute("DELETE FROM sqlite_sequence WHERE name = 'changes' AND seq < ?", known)
            connection.execute(
                "INSERT INTO sqlite_sequence (name, seq) SELECT 'changes', ? WHERE NOT EXISTS"
                " (SELECT 1 FROM sqlite_sequence WHERE name = 'changes')",
                known,
            )


def _readable(source: sqlite3.Connection, table: str) -> Iterator[tuple[object, ...]]:
    """Yield what can be read, perhaps twice."""
    for order in ("rowid", "rowid DESC", "1", "1 DESC"):  # tables without a rowid are in the order of their key
        try:
            yield from source.execute(f"SELECT * FROM {table} ORDER BY {order}")  # noqa: S608  # our names
        except sqlite3.DatabaseError:
            continue
        return
