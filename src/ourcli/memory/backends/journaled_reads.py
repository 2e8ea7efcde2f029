"""The reading half of the journaled store: every answer is what the tables say, with the journal laid over it.

A reader looks into the journal first and into the tables after it: what leaves the journal in between is in the
tables already, and a row that is in both is taken from the journal.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from anyio import to_thread

from ourcli.memory.backends.stemming import Stemmer
from ourcli.memory.journal import Change, ChangeJournal, Overlay
from ourcli.memory.layers import Layer
from ourcli.memory.ports import LayerStats, RecordTables
from ourcli.memory.query import Filter
from ourcli.memory.record import Record
from ourcli.memory.retrieval.legs import best, nothing, to_leg, without
from ourcli.memory.retrieval.pool import Leg
from ourcli.memory.vectors import Vector
from ourcli.memory.words import Corpus, bm25

_TRIES = 8
"""So often the tables are counted again when they were written meanwhile; then the count may be off by what came in."""


class Tables(RecordTables, Protocol):
    """The store beneath: what the journal flushes into."""

    async def places(self, ids: Sequence[str]) -> list[tuple[str, Layer]]:
        """Return which of the records there are, and where; twice for one whose move was cut off."""
        ...

    async def count(self, layer: Layer, where: Filter) -> int:
        """Return how many records of a layer pass a filter."""
        ...

    async def versions(self) -> dict[str, int]:
        """Return the newest version of each table that can be read, by the table's name."""
        ...

    async def tend(self, *, idle: bool = False) -> bool:
        """Compact the tables whose fragments or unindexed rows have grown past the bound; say if there were any.

        With `idle`, when nothing is written any more, a few unindexed rows are enough.
        """
        ...

    async def is_crowded(self) -> bool:
        """Say whether a table must be compacted before it is written again."""
        ...

    async def has_old_versions(self, older_than: timedelta) -> bool:
        """Say whether a table has many versions that are older."""
        ...

    async def prune(self, older_than: timedelta) -> None:
        """Remove versions that are older, and the files that only they have. Nobody may write now."""
        ...

    async def indexed_texts(self, layer: Layer, ids: Sequence[str]) -> list[str]:
        """Return the texts as they are indexed of those of the records that are in a layer."""
        ...

    async def renew(self) -> None:
        """Compact all that can be compacted, and build the indexes of words anew: they remember removed ones."""
        ...

    async def drop_old_versions(self) -> None:
        """Remove every file that today's version of the tables does not need; that version is safe on disk."""
        ...

    async def rewrite_marked(self) -> bool:
        """Write anew where removed rows are only marked as such; False: there are none. Follows the step above."""
        ...

    async def sources(self, project: str, *, without: Collection[str] = ()) -> list[tuple[str, str]]:
        """Return the distinct (uri, sha256) pairs of a project's assets, records `without` left out."""
        ...


class JournaledReads:
    """Reads tables and journal together. The writing half builds on it.

    Args:
        tables: The store beneath.
        journal: Holds what the tables do not know yet.
        most_counted: So many texts of the journal keep their counted words.
    """

    def __init__(self, tables: Tables, journal: ChangeJournal, *, most_counted: int) -> None:
        self._tables = tables
        self._journal = journal
        self._most_counted = most_counted
        self._stemmer = Stemmer()
        self._counted: dict[str, Counter[str]] = {}
        self._overlay = Overlay(())
        self._changes: tuple[Change, ...] = ()

    async def _current(self) -> Overlay:
        if self._journal.is_current(
            self._changes
        ):  # asked here: a thread for it would take ten times as long, at every leg
            return self._overlay
        changes = await to_thread.run_sync(self._journal.changes)
        if changes is not self._changes:
            self._changes, self._overlay = changes, Overlay(changes)
            if len(self._counted) > self._most_counted:
                self._counted = {}
        return self._overlay

    async def nearest(self, layer: Layer, vector: Vector, where: Filter, k: int) -> Leg:
        """Return the k records nearest to `vector`, scored by cosine similarity, best first."""
        overlay = await self._current()
        below = await _unhidden(lambda most: self._tables.nearest(layer, vector, where, most), k, overlay.hidden)
        return best(layer, [below, overlay.nearest(layer, vector, where)], k)

    async def matching(self, layer: Layer, text: str, where: Filter, k: int) -> Leg:
        """Return the k best BM25 matches of the words in `text`, best first."""
        overlay = await self._current()
        below = await _unhidden(lambda most: self._tables.matching(layer, text, where, most), k, overlay.hidden)
        return best(layer, [below, await self._matching_changes(overlay, layer, text, where, below)], k)

    async def _matching_changes(self, overlay: Overlay, layer: Layer, text: str, where: Filter, below: Leg) -> Leg:
        """Score the journal's rows as the tables score theirs.

        How rare a word is follows from the records that pass the filter: their number, and those that the tables
        brought for the same words, which are all that hold one of them unless there are more than were asked for.
        """
        rows = overlay.rows(where, layer)
        if not rows:
            return nothing(layer)
        texts = [record.indexed for record, _ in rows]
        query, *counted = await to_thread.run_sync(self._counts, text, texts)
        if not any(query.keys() & one.keys() for one in counted):
            return nothing(layer)
        around = await to_thread.run_sync(self._stemmer.counts, await self._tables.indexed_texts(layer, below.ids))
        corpus = Corpus.of([*around, *counted], texts=len(rows) + await self._tables.count(layer, where))
        scored = ((row, bm25(query, words, corpus)) for row, words in zip(rows, counted, strict=True))
        found = [(row, score) for row, score in scored if score > 0]
        return to_leg(layer, [row for row, _ in found], [score for _, score in found], len(found))

    def _counts(self, query: str, texts: Sequence[str]) -> list[Counter[str]]:
        """Return the stems of a query and of texts of the journal, which are counted once."""
        known = self._counted  # another search may begin a new one meanwhile
        new = [text for text in dict.fromkeys(texts) if text not in known]
        first, *counted = self._stemmer.counts([query, *new])
        known.update(zip(new, counted, strict=True))
        return [first, *(known[text] for text in texts)]

    async def fetch(self, where: Filter, *, limit: int | None = None) -> list[Record]:
        """Return records, newest first."""
        overlay = await self._current()
        most = None if limit is None else limit + len(overlay.hidden)
        found = [one for one in await self._tables.fetch(where, limit=most) if one.id not in overlay.hidden]
        found += [record for record, _ in overlay.rows(where)]
        return sorted(found, key=lambda record: (record.ts, record.id), reverse=True)[:limit]

    async def sources(self, project: str) -> list[tuple[str, str]]:
        """Return the distinct (uri, sha256) pairs of a project's assets."""
        overlay = await self._current()
        below = await self._tables.sources(project, without=overlay.hidden)
        changed = overlay.rows(Filter(project=project), Layer.ASSETS)
        return sorted({*below, *((one.source.uri, one.source.sha256) for one, _ in changed if one.source)})

    async def ids_from(self, project: str, uris: Sequence[str]) -> dict[str, list[str]]:
        """Return the ids of a project's assets that were read from these files, by uri."""
        overlay = await self._current()
        below = await self._tables.ids_from(project, uris)
        found = {uri: [one for one in ids if one not in overlay.hidden] for uri, ids in below.items()}
        for record, _ in overlay.rows(Filter(project=project), Layer.ASSETS):
            if record.source and record.source.uri in uris:
                found.setdefault(record.source.uri, []).append(record.id)
        return {uri: ids for uri, ids in found.items() if ids}

    async def scan(self, where: Filter, batch: int) -> AsyncIterator[list[tuple[Record, Vector]]]:
        """Yield all records with their vectors, in batches, in no order."""
        overlay = await self._current()
        async for rows in self._tables.scan(where, batch):
            if kept := [row for row in rows if row[0].id not in overlay.hidden]:
                yield kept
        changed = overlay.rows(where)
        for start in range(0, len(changed), batch):
            yield changed[start : start + batch]

    async def stats(self) -> dict[Layer, LayerStats]:
        """Return size and health of each layer; rows count what the journal adds and hides."""
        overlay = await self._current()
        stats, hidden = await self._counted_at_once(overlay)
        added = Counter(record.layer for record, _ in overlay.rows(Filter()))
        return {
            layer: replace(one, rows=one.rows - hidden[layer] + added[layer], unindexed=one.unindexed + added[layer])
            for layer, one in stats.items()
        }

    async def _counted_at_once(self, overlay: Overlay) -> tuple[dict[Layer, LayerStats], Counter[Layer]]:
        """Return the tables' stats and how many rows of each layer the journal hides, both of one version.

        A flush in between would let rows count as hidden that were not counted before.
        """
        for _ in range(_TRIES):
            versions = await self._tables.versions()
            stats = await self._tables.stats()
            hidden = Counter(layer for _, layer in await self._tables.places(list(overlay.hidden)))
            if versions == await self._tables.versions():
                break
        return stats, hidden


async def _unhidden(search: Callable[[int], Awaitable[Leg]], k: int, hidden: frozenset[str]) -> Leg:
    """Return up to k candidates that are not hidden, asking for more only where hidden ones took their places."""
    found = await search(k)
    kept = without(found, hidden)
    if len(kept.ids) == len(found.ids) or len(found.ids) < k:
        return kept
    more = without(await search(k + len(hidden)), hidden)
    return best(more.layer, [more], k)
