"""What stands in memory of a table, so that a search need not read columns from disk.

Reading 200 rows costs a small read for every row and column, more than finding them. A row's address in a table
(fragment and place) is never given to another row, and an updated record gets a new address; so what was read of an
address once stays right, and only unknown addresses are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import anyio
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ourcli.memory.backends import leg_columns
from ourcli.memory.backends.indexes import Asking, asking
from ourcli.memory.backends.lance_reading import read
from ourcli.memory.backends.leg_columns import ADDRESS, Told
from ourcli.memory.vectors import Matrix

_READ_ALL_FROM = 1_000
"""So many rows are read one by one before a larger table is read whole: a command that searches once never needs it."""

Addresses = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Rows of a table in the order of their addresses.

    Attributes:
        addresses: Ascending, [n].
        columns: As `leg_columns.to_held` makes them, [n].
        vectors: Unit vectors, [n, 384]; [0, 384] where they are not held.
        told: What legs tell of them as arrays; None where vectors are not held.
    """

    addresses: Addresses
    columns: pa.Table
    vectors: Matrix
    told: Told | None = None

    @classmethod
    def of(cls, found: pa.Table) -> "Rows":
        """Return rows as they were read, with the embedding or without."""
        addresses = found[ADDRESS].to_numpy()
        order = np.argsort(addresses)
        vectors = leg_columns.to_unit(found)
        return cls(
            addresses=addresses[order],
            columns=leg_columns.to_held(found).take(order),
            vectors=vectors[order] if len(vectors) else vectors,
        )

    def places(self, addresses: Addresses) -> NDArray[np.int64]:
        """Return where each address stands, -1 for one that is not held."""
        if not len(self.addresses):
            return np.full(len(addresses), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.addresses, addresses), len(self.addresses) - 1)
        return np.where(self.addresses[at] == addresses, at, -1)

    def keeping(self, wanted: NDArray[np.bool_]) -> "Rows":
        """Return some of the rows; they hold vectors."""
        return Rows(
            addresses=self.addresses[wanted],
            columns=self.columns.filter(pa.array(wanted)),
            vectors=self.vectors[wanted],
        )

    def joined(self, other: "Rows") -> "Rows":
        """Return these rows and others, none of which stands in both; either both hold vectors or none."""
        addresses = np.concatenate([self.addresses, other.addresses])
        order = np.argsort(addresses)
        vectors = np.concatenate([self.vectors, other.vectors])
        columns = pa.concat_tables([self.columns, other.columns]).unify_dictionaries().combine_chunks()
        return Rows(
            addresses=addresses[order], columns=columns.take(order), vectors=vectors[order] if len(vectors) else vectors
        )


class ExactRows:
    """All rows of a small table, followed from version to version, whichever process made them.

    Args:
        table: The LanceDB table.
        most: It is small with so many rows.
    """

    def __init__(self, table: Any, most: int) -> None:
        self._table = table
        self._most = most
        self._lock = anyio.Lock()
        self._version = -1
        self.asking = Asking()
        """How the table's vector index is asked, in the version that was read last."""
        self._rows: Rows | None = None

    async def current(self) -> Rows | None:
        """Return the rows as they are now, with vectors; None when there are too many to hold."""
        if await self._table.version() != self._version:
            async with self._lock:
                version = await self._table.version()
                if version != self._version:
                    small = await self._table.count_rows() <= self._most
                    held = self._rows if version > self._version else None  # else another table took its place
                    rows = await self._updated(held) if small else None
                    self._rows = replace(rows, told=Told.of(rows.columns)) if rows else None
                    self.asking = Asking() if small else await asking(self._table)
                    self._version = version
        return self._rows

    async def _updated(self, held: Rows | None) -> Rows:
        """Read what is new and drop what is gone."""
        if held is None:
            return Rows.of(await read(self._table.query().select(leg_columns.WHOLE)))
        now = (await read(self._table.query().select([ADDRESS])))[ADDRESS].to_numpy()
        new = np.setdiff1d(now, held.addresses)
        if len(new) > len(now) // 2:
            return Rows.of(await read(self._table.query().select(leg_columns.WHOLE)))
        kept = held.keeping(np.isin(held.addresses, now))
        if not len(new):
            return kept
        return kept.joined(Rows.of(await read(self._table.take_row_ids(new.tolist()).select(leg_columns.WHOLE))))


class SeenRows:
    """Columns of the rows that searches met in a large table; read whole once it pays."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self._lock = anyio.Lock()
        self._all: Rows | None = None
        self._since: Rows | None = None

    async def columns(self, addresses: Addresses, names: Sequence[str]) -> tuple[NDArray[np.int64], pa.Table]:
        """Return which of the addresses still hold a row (places, ascending), and columns of those rows."""
        if len(self._unknown(addresses)):
            async with self._lock:
                if len(unknown := self._unknown(addresses)):
                    await self._learn(unknown)
        held = [(rows, rows.places(addresses)) for rows in (self._all, self._since) if rows is not None]
        met = [(rows, places) for rows, places in held if (places >= 0).any()]
        if not met:
            return np.zeros(0, dtype=np.int64), leg_columns.NO_ROWS.select(names)
        there = np.concatenate([np.flatnonzero(places >= 0) for _, places in met])
        parts = [rows.columns.select(names).take(places[places >= 0]) for rows, places in met]
        if len(parts) == 1:
            return there, parts[0]
        order = np.argsort(there)
        return there[order], pa.concat_tables([leg_columns.plain(part) for part in parts]).take(order)

    def _unknown(self, addresses: Addresses) -> Addresses:
        for rows in (self._all, self._since):
            if rows is not None:
                addresses = addresses[rows.places(addresses) < 0]
        return addresses

    async def _learn(self, unknown: Addresses) -> None:
        since = self._since
        if since is not None and len(since.addresses) + len(unknown) > _READ_ALL_FROM:
            self._all, self._since = Rows.of(await read(self._table.query().select(leg_columns.LIGHT))), None
            return
        new = Rows.of(await read(self._table.take_row_ids(unknown.tolist()).select(leg_columns.LIGHT)))
        self._since = new if since is None else since.joined(new)
