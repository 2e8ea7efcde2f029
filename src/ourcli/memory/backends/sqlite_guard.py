"""Optimistic locking over the write journal: notice whether records changed between looking and committing.

`last_change` is read before the records are, `refuse_changed` is asked inside of the transaction that commits. A change
that was written and flushed away in between cannot be told any more: that counts as changed, and is looked at again.
"""

import sqlite3
from collections.abc import Sequence

from ourcli.common.errors import StoreConflictError
from ourcli.memory.backends.sqlite_values import marks, pieces


def last_change(connection: sqlite3.Connection) -> int:
    """Return the place of the last change that was ever written to the journal, 0 for none."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchone()
    return int(row[0]) if row else 0


def refuse_changed(connection: sqlite3.Connection, ids: Sequence[str], since: int) -> None:
    """Refuse when one of the records changed after the place `since`, or when that cannot be told.

    Raises:
        StoreConflictError: Look at the records again.
    """
    first = connection.execute("SELECT min(seq) FROM changes").fetchone()[0]
    flushed = first - 1 if first is not None else last_change(connection)
    if flushed > since or any(_changed(connection, some, since) for some in pieces(ids)):
        raise StoreConflictError("a record changed meanwhile", hint="nothing was done; try again")


def _changed(connection: sqlite3.Connection, ids: Sequence[str], since: int) -> bool:
    found = connection.execute(
        f"SELECT 1 FROM changes WHERE seq > ? AND id IN ({marks(ids)}) LIMIT 1",  # noqa: S608  # question marks only
        (since, *ids),
    )
    return found.fetchone() is not None
