"""Uses and pins in the store's SQLite file: uses are taken in quickly and written in batches, pins at once."""

import logging
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from threading import Lock

from anyio import to_thread

from ourcli.common.clock import Clock
from ourcli.common.errors import StoreError
from ourcli.memory.backends.database import Database
from ourcli.memory.backends.sqlite_values import marks, microseconds, moment, pieces
from ourcli.memory.usage import UNUSED, Usage, Use

_log = logging.getLogger(__name__)
SCHEMA = """
CREATE TABLE IF NOT EXISTS usage (
    id TEXT PRIMARY KEY,
    last_used_us INTEGER NOT NULL,
    uses INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS usage_queries (
    id TEXT NOT NULL,
    query BLOB NOT NULL,
    PRIMARY KEY (id, query)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pins (
    id TEXT PRIMARY KEY
) STRICT;
"""
_MOST_WAITING = 64
"""Uses that wait in memory before they are written."""
_LONGEST_WAIT_S = 60.0
_MOST_KEPT = 4096
"""Uses that are kept while they cannot be written; older ones are lost then."""
_DIGEST_BYTES = 16


def write_pins(connection: sqlite3.Connection, ids: Sequence[str], *, pinned: bool) -> None:
    """Set or take pins inside of a transaction."""
    statement = "INSERT OR IGNORE INTO pins (id) VALUES (?)" if pinned else "DELETE FROM pins WHERE id = ?"
    connection.executemany(statement, [(one,) for one in ids])


class SqliteUsageBook:
    """A `UsageBook`. Close it, which writes what waits.

    Args:
        database: The store's file.
        clock: Tells how long uses have waited.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = Lock()
        self._waiting: list[Use] = []
        self._waiting_since_s = 0.0

    async def note(self, use: Use) -> None:
        """Take a use in; it is written with others, at the latest with the first one after a minute, and on `flush`."""
        if not use.ids:
            return
        now_s = self._clock.monotonic_s()
        with self._lock:
            if not self._waiting:
                self._waiting_since_s = now_s
            self._waiting = [*self._waiting, use][-_MOST_KEPT:]
            due = len(self._waiting) >= _MOST_WAITING or now_s - self._waiting_since_s >= _LONGEST_WAIT_S
        if due:
            await self._try_flush()

    async def _try_flush(self) -> None:
        """Write what waits; where that cannot be done nobody who only reads memory must fail."""
        try:
            await self.flush()
        except StoreError as exc:
            self._waiting_since_s = self._clock.monotonic_s()
            _log.info("uses were not written down: %s", exc.message)

    async def flush(self) -> None:
        """Write the uses that were taken in.

        Raises:
            StoreError: They could not be written; they wait on.
        """
        await to_thread.run_sync(self._flush)

    def _flush(self) -> None:
        with self._lock:
            taken, self._waiting = self._waiting, []
        if not taken:
            return
        try:
            with self._database.writing() as connection:
                _write(connection, taken)
        except StoreError:
            with self._lock:
                self._waiting = [*taken, *self._waiting][-_MOST_KEPT:]
            raise

    async def of(self, ids: Sequence[str]) -> dict[str, Usage]:
        """Return the usage of those of the records that have any; what `note` took in counts."""
        return await to_thread.run_sync(self._of, tuple(dict.fromkeys(ids)))

    def _of(self, ids: Sequence[str]) -> dict[str, Usage]:
        with self._lock:
            waiting = list(self._waiting)
        found = _Counts()
        with self._database.reading() as connection:
            for some in pieces(ids):
                found.read(connection, some)
        wanted = frozenset(ids)
        for use in waiting:
            found.count(use, wanted)
        return found.usages()

    async def pin(self, ids: Sequence[str], *, pinned: bool) -> None:
        """Set or take the pin, durably."""

        def write() -> None:
            with self._database.writing() as connection:
                write_pins(connection, ids, pinned=pinned)

        await to_thread.run_sync(write)

    async def pinned(self) -> frozenset[str]:
        """Return the ids of all pinned records."""

        def read() -> frozenset[str]:
            with self._database.reading() as connection:
                return frozenset(one for (one,) in connection.execute("SELECT id FROM pins"))

        return await to_thread.run_sync(read)

    def forget(self, ids: Sequence[str]) -> None:
        """Drop waiting uses of these records, so that no later flush brings them back."""
        gone = frozenset(ids)
        with self._lock:
            kept = [(use, tuple(one for one in use.ids if one not in gone)) for use in self._waiting]
            self._waiting = [Use(ids=rest, at=use.at, query=use.query) for use, rest in kept if rest]

    async def aclose(self) -> None:
        """Write what waits, where that can be done."""
        await self._try_flush()


class _Counts:
    """Adds up what is written and what waits."""

    def __init__(self) -> None:
        self._last: dict[str, datetime] = {}
        self._uses: dict[str, int] = {}
        self._queries: dict[str, set[bytes]] = {}
        self._pinned: set[str] = set()

    def read(self, connection: sqlite3.Connection, ids: Sequence[str]) -> None:
        """Take in what is written of these records."""
        within = f"WHERE id IN ({marks(ids)})"
        for one, last_us, uses in connection.execute(
            f"SELECT id, last_used_us, uses FROM usage {within}",  # noqa: S608  # question marks only
            ids,
        ):
            self._last[one], self._uses[one] = moment(last_us), uses
        queries = connection.execute(f"SELECT id, query FROM usage_queries {within}", ids)  # noqa: S608  # as above
        for one, query in queries:
            self._queries.setdefault(one, set()).add(query)
        pins = connection.execute(f"SELECT id FROM pins {within}", ids)  # noqa: S608  # as above
        self._pinned |= {one for (one,) in pins}

    def count(self, use: Use, wanted: frozenset[str]) -> None:
        """Take in a use that waits."""
        for one in wanted.intersection(use.ids):
            self._last[one] = max(use.at, self._last.get(one, use.at))
            self._uses[one] = self._uses.get(one, 0) + 1
            if use.query.strip():
                self._queries.setdefault(one, set()).add(query_digest(use.query))

    def usages(self) -> dict[str, Usage]:
        """Return the sums."""
        return {
            one: Usage(
                last_used=self._last.get(one),
                uses=self._uses.get(one, UNUSED.uses),
                distinct_queries=len(self._queries.get(one, ())),
                pinned=one in self._pinned,
            )
            for one in self._last.keys() | self._pinned
        }


def query_digest(query: str) -> bytes:
    """Return a digest that is the same for questions that differ in case and white space only."""
    normal = " ".join(query.casefold().split())
    return blake2b(normal.encode("utf-8", "replace"), digest_size=_DIGEST_BYTES).digest()


def _write(connection: sqlite3.Connection, uses: Sequence[Use]) -> None:
    connection.executemany(
        "INSERT INTO usage (id, last_used_us, uses) VALUES (?, ?, 1) ON CONFLICT (id) DO UPDATE SET"
        " uses = uses + 1, last_used_us = max(last_used_us, excluded.last_used_us)",
        [(one, microseconds(use.at)) for use in uses for one in dict.fromkeys(use.ids)],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO usage_queries (id, query) VALUES (?, ?)",
        [(one, query_digest(use.query)) for use in uses if use.query.strip() for one in use.ids],
    )
