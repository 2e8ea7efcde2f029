"""Forgetting in the store's SQLite file: what ledger, usage and inbox hold of records that shall be gone."""

import json
import sqlite3
from collections.abc import Sequence

from anyio import to_thread

from ourcli.common.forgetting import Erasure
from ourcli.memory.backends.database import Database
from ourcli.memory.backends.record_json import from_json, to_json
from ourcli.memory.backends.sqlite_usage import SqliteUsageBook
from ourcli.memory.backends.sqlite_values import marks, pieces
from ourcli.memory.forgetting import without_words
from ourcli.memory.ledger import FORGOTTEN
from ourcli.memory.retrieval.context import end_of


class LedgerForgetting:
    """Forgets in the ledger, the uses, the pins and the inbox; a `Forgettable`.

    An entry whose every record is gone vanishes whole; another one keeps what is of the rest and can never be undone.

    Args:
        database: The store's file.
        usage: The book whose uses wait in this process.
    """

    def __init__(self, database: Database, usage: SqliteUsageBook) -> None:
        self._database = database
        self._usage = usage

    @property
    def name(self) -> str:
        """What it is, for messages."""
        return "ledger and usage"

    async def erase(self, what: Erasure) -> int:
        """Remove whatever belongs to these records; return how many entries, uses, pins and proposals went.

        Raises:
            StoreError: Nothing was removed.
        """
        return await to_thread.run_sync(self._erase, what)

    def _erase(self, what: Erasure) -> int:
        self._usage.forget(what.ids)
        gone = 0
        with self._database.writing() as connection:
            for ids in pieces(what.ids):
                gone += _erase_uses(connection, ids)
                gone += _erase_proposals(connection, ids)
                gone += _erase_entries(connection, ids, what)
            _clean_contexts(connection, what)
        return gone

    async def wipe(self) -> None:
        """Write the file anew: afterwards the bytes of what was removed are gone.

        Raises:
            StoreError: It could not be done, for example while another process reads.
        """
        await to_thread.run_sync(self._database.wipe)


def _erase_uses(connection: sqlite3.Connection, ids: Sequence[str]) -> int:
    gone = 0
    for table in ("usage", "pins", "usage_queries"):
        done = connection.execute(f"DELETE FROM {table} WHERE id IN ({marks(ids)})", ids)  # noqa: S608  # constants
        gone += done.rowcount if table != "usage_queries" else 0
    return gone


def _erase_proposals(connection: sqlite3.Connection, ids: Sequence[str]) -> int:
    found = connection.execute(
        f"SELECT DISTINCT proposal FROM inbox_records WHERE record_id IN ({marks(ids)})",  # noqa: S608  # as above
        ids,
    ).fetchall()
    connection.executemany("DELETE FROM inbox WHERE seq = ?", found)
    connection.executemany("DELETE FROM inbox_records WHERE proposal = ?", found)
    return len(found)


def _erase_entries(connection: sqlite3.Connection, ids: Sequence[str], what: Erasure) -> int:
    """Take the records out of every entry that touched them or names them as a source."""
    of_records = f"record_id IN ({marks(ids)})"
    entries = connection.execute(
        f"SELECT DISTINCT entry FROM ledger_records WHERE {of_records}",  # noqa: S608  # question marks only
        ids,
    ).fetchall()
    connection.execute(f"DELETE FROM ledger_images WHERE {of_records}", ids)  # noqa: S608  # as above
    connection.execute(f"DELETE FROM ledger_records WHERE {of_records}", ids)  # noqa: S608  # as above
    for (entry,) in entries:
        left = connection.execute(
            "SELECT count(*) FROM ledger_records WHERE entry = ? AND role = 'touched'", (entry,)
        ).fetchone()[0]
        if left:
            _prune(connection, entry, what)
        else:
            connection.execute("DELETE FROM ledger_images WHERE entry = ?", (entry,))
            connection.execute("DELETE FROM ledger_records WHERE entry = ?", (entry,))
            connection.execute("DELETE FROM ledger WHERE seq = ?", (entry,))
    return len(entries)


def _clean_contexts(connection: sqlite3.Connection, what: Erasure) -> None:
    """Take the words out of the contexts of turns that were said after them."""
    for text in what.texts if what.talks else ():
        rows = connection.execute(
            "SELECT rowid, record FROM ledger_images WHERE instr(record, ?) > 0", (json.dumps(end_of(text))[1:-1],)
        ).fetchall()
        for row, record in rows:
            told = from_json(record)
            if (told.project, told.session) in what.talks:
                clean = to_json(without_words(told, what.texts))
                connection.execute("UPDATE ledger_images SET record = ? WHERE rowid = ?", (clean, row))


def _prune(connection: sqlite3.Connection, entry: int, what: Erasure) -> None:
    """Take the records out of what an entry says of its layers and inputs."""
    layers, inputs = connection.execute("SELECT layers, inputs FROM ledger WHERE seq = ?", (entry,)).fetchone()
    ids = frozenset(what.ids)
    kept = {record_id: places for record_id, places in json.loads(layers).items() if record_id not in ids}
    facts = {key: _without(value, ids, what.texts) for key, value in json.loads(inputs).items()}
    facts[FORGOTTEN] = True
    connection.execute(
        "UPDATE ledger SET layers = ?, inputs = ? WHERE seq = ?", (json.dumps(kept), json.dumps(facts), entry)
    )


def _without(value: object, ids: frozenset[str], texts: Sequence[str]) -> object:
    """Return JSON data without the parts that are about these records or repeat their words."""
    if isinstance(value, dict):
        return {key: _without(inner, ids, texts) for key, inner in value.items() if key not in ids}
    if isinstance(value, list):
        return [_without(inner, ids, texts) for inner in value if not _is_about(inner, ids)]
    if isinstance(value, str) and (value in ids or any(text and text in value for text in texts)):
        return ""
    return value


def _is_about(value: object, ids: frozenset[str]) -> bool:
    return value in ids if isinstance(value, str) else isinstance(value, dict) and value.get("id") in ids
