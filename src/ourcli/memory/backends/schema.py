"""All tables of the store's SQLite file, in the order in which its formats brought them."""

from pathlib import Path

from ourcli.memory.backends import sqlite_erasures, sqlite_inbox, sqlite_journal, sqlite_ledger, sqlite_usage
from ourcli.memory.backends.database import Database

STEPS = (
    sqlite_journal.SCHEMA,
    "\n".join(
        (
            sqlite_ledger.SCHEMA,
            sqlite_usage.SCHEMA,
            sqlite_inbox.SCHEMA,
            sqlite_journal.SAFE_SCHEMA,
            sqlite_erasures.SCHEMA,
        )
    ),
)
"""Step n makes a file of format n + 1 out of one of format n. A step that was released is never changed."""
JOURNAL = "journal.sqlite"
"""Name of the file in the store's folder."""


def open_database(path: Path) -> Database:
    """Open the file, creating or upgrading it in one transaction; the caller closes it.

    Raises:
        StoreError: It cannot be made or read, is damaged, or was written by a later ourcli.
    """
    return Database(path, STEPS)
