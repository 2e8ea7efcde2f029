"""What the write journal holds, and what its changes make of the tables beneath."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ourcli.memory.layers import Layer
from ourcli.memory.ledger import LedgerEntry
from ourcli.memory.query import Filter, matches
from ourcli.memory.record import DIMS, Record
from ourcli.memory.retrieval.legs import nothing, to_leg
from ourcli.memory.retrieval.pool import Leg
from ourcli.memory.vectors import Matrix, Vector


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Change:
    """One change of one record; a later one of the same id takes its place.

    Attributes:
        seq: Its place in the journal from 1; 0 until it is written.
        id: Which record.
        row: The record as it is from now on and its vector, or None: it is deleted.
    """

    id: str
    row: tuple[Record, Vector] | None
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSize:
    """How much the journal holds.

    Attributes:
        rows: Changes.
        bytes: Pages in use.
    """

    rows: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """What was looked at before changes are written: no record of `ids` may have changed after the place `since`."""

    ids: tuple[str, ...]
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Safe:
    """A version of a table of which every file was fsynced, and the running of the machine in which it was."""

    version: int
    boot: str


class ChangeJournal(Protocol):
    """Where changes are safe from the moment they are acknowledged; methods block and may be called in any thread."""

    def append(
        self, changes: Sequence[Change], entries: Sequence[LedgerEntry] = (), unchanged: Unchanged | None = None
    ) -> JournalSize:
        """Write changes and why, all or none; when this returns they survive a power cut.

        Raises:
            StoreConflictError: A record is not `unchanged`, or an entry undoes what is undone; none was written.
            StoreError: None of them was written.
        """
        ...

    def last_change(self) -> int:
        """Return the place of the last change that was ever written, 0 for none."""
        ...

    def changes(self) -> tuple[Change, ...]:
        """Return all changes in order, those of other processes too; the same object as long as nothing changed."""
        ...

    def is_current(self, changes: tuple[Change, ...]) -> bool:
        """Say whether `changes` would return this; never waits: False where that is not known."""
        ...

    def drop(self, last: int, safe: Mapping[str, int], boot: str) -> None:
        """Remove the changes up to and with the place `last`, and note the tables' versions that hold them safely."""
        ...

    def safe(self) -> dict[str, Safe]:
        """Return for each table the last version that was noted."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class Overlay:
    """The net effect of changes, laid over tables that do not know of them yet."""

    def __init__(self, changes: Sequence[Change]) -> None:
        latest = {change.id: change for change in changes}
        self.last = changes[-1].seq if changes else 0
        self.hidden = frozenset(latest)
        """Ids of which the tables' own rows must not be shown."""
        self._gone = frozenset(change.id for change in latest.values() if change.row is None)
        self.deleted = sorted(self._gone)
        self._rows: dict[Layer, list[tuple[Record, Vector]]] = {layer: [] for layer in Layer}
        for change in latest.values():
            if change.row:
                self._rows[change.row[0].layer].append(change.row)

    def there(self, record_id: str) -> bool | None:
        """Say whether a record is there; None when the journal does not know."""
        if record_id not in self.hidden:
            return None
        return record_id not in self._gone

    def rows(self, where: Filter, layer: Layer | None = None) -> list[tuple[Record, Vector]]:
        """Return the rows that pass a filter, of one layer or of all that the filter names."""
        layers = where.layers if layer is None else (layer,)
        return [row for one in layers for row in self._rows[one] if matches(row[0], where)]

    def nearest(self, layer: Layer, vector: Vector, where: Filter) -> Leg:
        """Return all rows of a layer that pass, scored by exact cosine similarity."""
        rows = self.rows(where, layer)
        if not rows:
            return nothing(layer)
        matrix = np.stack([own for _, own in rows])
        lengths = np.linalg.norm(matrix, axis=1) * float(np.linalg.norm(vector))
        scores = matrix @ vector / np.maximum(lengths, np.finfo(np.float32).tiny)
        return to_leg(layer, rows, scores.tolist(), len(rows))

    def batch(self) -> tuple[list[Record], Matrix]:
        """Return what is to be written to the tables; the vectors have shape [n, 384]."""
        rows = [row for rows in self._rows.values() for row in rows]
        vectors = np.stack([vector for _, vector in rows]) if rows else np.zeros((0, DIMS), dtype=np.float32)
        return [record for record, _ in rows], vectors
