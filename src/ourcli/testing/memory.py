"""A record store in memory: brute-force cosine and a small BM25, with the same answers in kind as the real one."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from ourcli.common.errors import StoreConflictError, StoreError
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Image, LedgerEntry
from ourcli.memory.ports import LayerStats
from ourcli.memory.query import Filter, matches
from ourcli.memory.record import Record
from ourcli.memory.retrieval.legs import to_leg
from ourcli.memory.retrieval.pool import Leg
from ourcli.memory.vectors import Matrix, Vector
from ourcli.memory.words import Corpus, bm25
from ourcli.testing.ledger import FakeLedger

_WORD = re.compile(r"[^\W_]+")


@dataclass(slots=True)
class FakeRecordStore:
    """Keep records in a dictionary. Set `failure` to make every write raise `StoreError(failure)`."""

    rows: dict[str, tuple[Record, Vector]] = field(default_factory=dict)
    model: str | None = None
    failure: str = ""
    optimized: int = 0
    erased: int = 0
    ledger: FakeLedger = field(default_factory=FakeLedger)

    async def store_model(self) -> str | None:
        """Return the digest of the embedding model that the store was written with."""
        return self.model

    async def set_store_model(self, digest: str) -> None:
        """Note the embedding model."""
        self._may_fail()
        self.model = digest

    async def upsert(self, records: Sequence[Record], vectors: Matrix) -> None:
        """Add or replace records."""
        self._may_fail()
        for record, vector in zip(records, vectors, strict=True):
            self.rows[record.id] = (record, np.asarray(vector, dtype=np.float32))

    async def delete(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Remove records; return the ids that were there."""
        self._may_fail()
        return tuple(record_id for record_id in ids if self.rows.pop(record_id, None) is not None)

    async def commit(
        self, *, upserts: Sequence[Image] = (), deletes: Sequence[str] = (), entries: Sequence[LedgerEntry] = ()
    ) -> None:
        """Change records and write why, all or none."""
        self._may_fail()
        for entry in entries:
            told: dict[str, Image] = {one.record.id: one for one in entry.before}
            for record_id in dict.fromkeys((*told, *(one.record.id for one in entry.after))):
                self._refuse_changed(record_id, told.get(record_id))
        self.ledger.write(entries)
        for record_id in deletes:
            self.rows.pop(record_id, None)
        self.rows |= {one.record.id: (one.record, np.asarray(one.vector, dtype=np.float32)) for one in upserts}

    def _refuse_changed(self, record_id: str, told: Image | None) -> None:
        row = self.rows.get(record_id)
        now = None if row is None else Image(record=row[0], vector=row[1])
        if (now is None) != (told is None) or (now is not None and told is not None and not now.same_as(told)):
            raise StoreConflictError(f"the record {record_id!r} changed meanwhile")

    async def images(self, ids: Sequence[str]) -> list[Image]:
        """Return those of the records that are there, with their vectors, in the order of `ids`."""
        return [Image(record=self.rows[one][0], vector=self.rows[one][1]) for one in ids if one in self.rows]

    def _may_fail(self) -> None:
        if self.failure:
            raise StoreError(self.failure)

    def _matching_rows(self, where: Filter) -> list[tuple[Record, Vector]]:
        return [row for row in self.rows.values() if matches(row[0], where)]

    async def nearest(self, layer: Layer, vector: Vector, where: Filter, k: int) -> Leg:
        """Return the k nearest records, best first."""
        rows = [row for row in self._matching_rows(where) if row[0].layer is layer]
        return to_leg(layer, rows, [float(own @ vector) for _, own in rows], k)

    async def matching(self, layer: Layer, text: str, where: Filter, k: int) -> Leg:
        """Return the k best BM25 matches, best first."""
        corpus = Corpus.of([Counter(_words(one.indexed)) for one, _ in self.rows.values() if one.layer is layer])
        rows = [row for row in self._matching_rows(where) if row[0].layer is layer]
        scores = [bm25(set(_words(text)), Counter(_words(record.indexed)), corpus) for record, _ in rows]
        found = [(row, score) for row, score in zip(rows, scores, strict=True) if score > 0]
        return to_leg(layer, [row for row, _ in found], [score for _, score in found], k)

    async def indexed_texts(self, layer: Layer, ids: Sequence[str]) -> list[str]:
        """Return the texts as they are indexed of those of the records that are in a layer."""
        rows = [self.rows[record_id][0] for record_id in ids if record_id in self.rows]
        return [record.indexed for record in rows if record.layer is layer]

    async def fetch(self, where: Filter, *, limit: int | None = None) -> list[Record]:
        """Return records, newest first."""
        found = [record for record, _ in self._matching_rows(where) if record.layer in where.layers]
        return sorted(found, key=lambda record: (record.ts, record.id), reverse=True)[:limit]

    async def sources(self, project: str, *, without: Collection[str] = ()) -> list[tuple[str, str]]:
        """Return the distinct (uri, sha256) pairs of a project's assets, records `without` left out."""
        rest = [one for one in self._assets(project) if one.id not in without]
        return sorted({(one.source.uri, one.source.sha256) for one in rest if one.source})

    async def places(self, ids: Sequence[str]) -> list[tuple[str, Layer]]:
        """Return which of the records there are, and where."""
        return [(record_id, self.rows[record_id][0].layer) for record_id in ids if record_id in self.rows]

    async def count(self, layer: Layer, where: Filter) -> int:
        """Return how many records of a layer pass a filter."""
        return sum(record.layer is layer for record, _ in self._matching_rows(where))

    async def ids_from(self, project: str, uris: Sequence[str]) -> dict[str, list[str]]:
        """Return the ids of a project's assets that were read from these files, by uri."""
        found: dict[str, list[str]] = {}
        for record in self._assets(project):
            if record.source and record.source.uri in uris:
                found.setdefault(record.source.uri, []).append(record.id)
        return found

    def _assets(self, project: str) -> Iterable[Record]:
        return [one for one, _ in self.rows.values() if one.project == project and one.layer is Layer.ASSETS]

    async def scan(self, where: Filter, batch: int) -> AsyncIterator[list[tuple[Record, Vector]]]:
        """Yield all records with their vectors, in batches."""
        rows = [row for row in self._matching_rows(where) if row[0].layer in where.layers]
        for start in range(0, len(rows), batch):
            yield rows[start : start + batch]

    async def stats(self) -> dict[Layer, LayerStats]:
        """Return the number of rows of each layer; a dictionary has no fragments."""
        counts = Counter(record.layer for record, _ in self.rows.values())
        return {layer: LayerStats(rows=counts[layer], unindexed=0, fragments=0, bytes=0) for layer in Layer}

    async def optimize(self) -> None:
        """Count the call."""
        self.optimized += 1

    async def tend(self, *, idle: bool = False) -> bool:
        """Do nothing: a dictionary needs no compaction."""
        del idle
        return False

    async def flush(self) -> int:
        """Do nothing: a dictionary has no journal."""
        self._may_fail()
        return 0

    async def erase(self) -> None:
        """Count the call: a dictionary keeps nothing of what was removed."""
        self._may_fail()
        self.erased += 1


class FakeTables(FakeRecordStore):
    """The same as the tables beneath a journal: nothing in them ever needs upkeep."""

    async def versions(self) -> dict[str, int]:
        """Return nothing: a dictionary has no versions."""
        return {}

    async def is_crowded(self) -> bool:
        """Never."""
        return False

    async def has_old_versions(self, older_than: timedelta) -> bool:
        """Never."""
        del older_than
        return False

    async def prune(self, older_than: timedelta) -> None:
        """Do nothing: there are no versions."""

    async def renew(self) -> None:
        """Do nothing: what is deleted is gone."""

    async def drop_old_versions(self) -> None:
        """Do nothing: there are no versions."""

    async def rewrite_marked(self) -> bool:
        """Do nothing: what is deleted is gone."""
        return False


def _words(text: str) -> list[str]:
    return [word.lower().removesuffix("s") for word in _WORD.findall(text)]
