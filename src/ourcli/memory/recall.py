"""One search's way: embed, ask every leg of every layer at once, gather, rank, fetch, rerank, cut."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import anyio

from ourcli.common.clock import Clock
from ourcli.common.errors import OurcliError
from ourcli.memory.layers import Layer
from ourcli.memory.ports import Embedder, Passage, RecordStore, Reranker
from ourcli.memory.query import Filter, Hit, Query, SearchResult, SearchTiming, matches
from ourcli.memory.record import Record
from ourcli.memory.retrieval.cards import to_hit
from ourcli.memory.retrieval.fusion import rank
from ourcli.memory.retrieval.gather import gather
from ourcli.memory.retrieval.pool import Leg, Pool, Ranking
from ourcli.memory.retrieval.rerank import mix
from ourcli.memory.vectors import Vector

RERANK_S = 2.0
"""So long a search reranks at most, unless it is told otherwise."""


class Recall:
    """The search pipeline. Everything between the ports is a pure function in `retrieval/`.

    Args:
        store: Where records are searched.
        embedder: Embeds the question.
        reranker: Judges the best candidates again, or None.
        clock: Times the stages.
        rerank_s: So long the reranker may take; what it did not judge by then keeps its place.
    """

    def __init__(
        self,
        store: RecordStore,
        embedder: Embedder,
        reranker: Reranker | None,
        clock: Clock,
        *,
        rerank_s: float = RERANK_S,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._reranker = reranker
        self._clock = clock
        self._rerank_s = rerank_s

    async def run(self, query: Query) -> SearchResult:
        """Return the hits of a checked query, best first."""
        started = self._clock.monotonic_s()
        vector = await self._embedder.embed_query(query.text)
        embedded = self._clock.monotonic_s()
        near, vector_ms, matched, text_ms = await self._legs(query, vector)
        gathered = self._clock.monotonic_s()
        pool = gather(near, matched, vector)
        ranking = rank(pool, query.text, now=self._clock.now())
        hits = await self._hits(query, pool, ranking)
        fused = self._clock.monotonic_s()
        hits = await self._reranked(query, hits)
        ended = self._clock.monotonic_s()
        return SearchResult(
            hits=tuple(_kept(hit, place, query.limit) for place, hit in enumerate(hits[: query.limit], start=1)),
            timing_ms=SearchTiming(
                embed=_ms(embedded - started),
                vector=vector_ms,
                text=text_ms,
                fuse=_ms(fused - gathered),
                rerank=_ms(ended - fused),
                total=_ms(ended - started),
            ),
        )

    async def _legs(self, query: Query, vector: Vector) -> tuple[list[Leg], float, list[Leg], float]:
        """Return both legs of all layers, each with the milliseconds until its last layer answered."""
        near: list[Leg] = []
        matched: list[Leg] = []
        started = self._clock.monotonic_s()
        ended = {id(near): started, id(matched): started}

        async def bring(legs: list[Leg], search: Callable[[], Awaitable[Leg]]) -> None:
            legs.append(await search())
            ended[id(legs)] = self._clock.monotonic_s()

        with _one_failure():
            async with anyio.create_task_group() as tasks:
                for layer in query.filter.layers:
                    tasks.start_soon(bring, near, self._vector_leg(layer, query, vector))
                    tasks.start_soon(bring, matched, self._text_leg(layer, query))
        return near, _ms(ended[id(near)] - started), matched, _ms(ended[id(matched)] - started)

    def _vector_leg(self, layer: Layer, query: Query, vector: Vector) -> Callable[[], Awaitable[Leg]]:
        return lambda: self._store.nearest(layer, vector, query.filter, query.candidates)

    def _text_leg(self, layer: Layer, query: Query) -> Callable[[], Awaitable[Leg]]:
        return lambda: self._store.matching(layer, query.text, query.filter, query.candidates)

    async def _hits(self, query: Query, pool: Pool, ranking: Ranking) -> list[Hit]:
        """Return the head of the ranking with its records; one that was deleted meanwhile is left out."""
        head = [int(place) for place in ranking.order[: max(query.rerank, query.limit)]]
        records = await self._records(query.filter, [pool.ids[place] for place in head], [pool.layers[p] for p in head])
        return [to_hit(pool, ranking, place, records[pool.ids[place]]) for place in head if pool.ids[place] in records]

    async def _records(self, where: Filter, ids: Sequence[str], layers: Sequence[Layer]) -> dict[str, Record]:
        """Read records, first where they were seen; what was moved meanwhile is looked for in every layer."""
        if not ids:
            return {}
        seen = Filter(ids=tuple(ids), layers=tuple(dict.fromkeys(layers)))
        found = {record.id: record for record in await self._store.fetch(seen)}
        if moved := tuple(one for one in ids if one not in found):
            anywhere = Filter(ids=moved, layers=where.layers)
            found |= {record.id: record for record in await self._store.fetch(anywhere)}
        return {record_id: record for record_id, record in found.items() if matches(record, where)}

    async def _reranked(self, query: Query, hits: list[Hit]) -> list[Hit]:
        if self._reranker is None or query.rerank == 0 or not hits:
            return hits
        head = hits[: query.rerank]
        passages = [Passage(id=hit.record.id, text=hit.record.text) for hit in head]
        deadline_s = self._clock.monotonic_s() + self._rerank_s
        scores = await self._reranker.score(query.text, passages, deadline_s=deadline_s)
        return [*mix(head, scores), *hits[query.rerank :]]


@contextmanager
def _one_failure() -> Iterator[None]:
    """Let the first of several failed legs speak for all: a search with a layer missing would be a wrong answer."""
    try:
        yield
    except* OurcliError as group:
        first: BaseException = group
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        failure = first
    else:
        return
    raise failure


def _kept(hit: Hit, place: int, limit: int) -> Hit:
    place_kept = f"place {place} of the best {limit}"
    kept = f"{place_kept}; {hit.card.kept}" if hit.card.kept else place_kept
    return replace(hit, card=replace(hit.card, kept=kept))


def _ms(seconds: float) -> float:
    return seconds * 1000.0
