"""How a store is: everything in it is read once, nothing is changed."""

from dataclasses import dataclass

from anyio import to_thread

from ourcli.common.errors import StoreError
from ourcli.memory.backends.database import Database
from ourcli.memory.backends.journaled_store import JournaledStore
from ourcli.memory.migrations.history import FORMAT
from ourcli.memory.query import Filter

_ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreHealth:
    """What reading everything brought.

    Attributes:
        format: The store's format.
        records: Records that can be read.
        waiting: Changes that stand in the journal and not in the tables yet.
        journal: What is wrong with the journal's file, or "".
        tables: What is wrong with the tables, or "".
    """

    format: int
    records: int
    waiting: int
    journal: str
    tables: str


async def look_at(store: JournaledStore) -> StoreHealth:
    """Read the journal's file page by page and every record of the tables with its vector."""
    journal, waiting = await to_thread.run_sync(_journal, store.database)
    records, tables = 0, ""
    try:
        async for rows in store.scan(Filter(), _ROWS_AT_ONCE):
            records += len(rows)
    except StoreError as exc:
        tables = exc.message
    return StoreHealth(format=FORMAT, records=records, waiting=waiting, journal=journal, tables=tables)


def _journal(database: Database) -> tuple[str, int]:
    try:
        with database.reading() as connection:
            (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            (waiting,) = connection.execute("SELECT count(*) FROM changes").fetchone()
    except StoreError as exc:
        return exc.message, 0
    return "" if said == "ok" else str(said), int(waiting)
