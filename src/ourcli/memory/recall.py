"""One search's way: embed, ask every leg of every layer at once, fuse, rerank, cut."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import anyio

from ourcli.common.clock import Clock
from ourcli.memory.layers import Layer
from ourcli.memory.ports import Candidate, Embedder, RecordStore, Reranker
from ourcli.memory.query import Hit, Query, SearchResult, SearchTiming
from ourcli.memory.retrieval.fusion import fuse, gather, rank
from ourcli.memory.retrieval.rerank import mix
from ourcli.memory.vectors import Vector


class Recall:
    """The search pipeline. Everything between the ports is a pure function in `retrieval/`."""

    def __init__(self, store: RecordStore, embedder: Embedder, reranker: Reranker | None, clock: Clock) -> None:
        self._store = store
        self._embedder = embedder
        self._reranker = reranker
        self._clock = clock

    async def run(self, query: Query) -> SearchResult:
        """Return the hits of a checked query, best first."""
        started = self._clock.monotonic_s()
        vector = await self._embedder.embed_query(query.text)
        embedded = self._clock.monotonic_s()
        near, vector_ms, matched, text_ms = await self._legs(query, vector)
        gathered = self._clock.monotonic_s()
        pool = gather(near, matched, vector)
        hits = rank(pool, fuse(pool))
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

    async def _legs(self, query: Query, vector: Vector) -> tuple[list[Candidate], float, list[Candidate], float]:
        """Return both legs over all layers, each with the milliseconds until its last layer answered."""
        near: list[Candidate] = []
        matched: list[Candidate] = []
        started = self._clock.monotonic_s()
        ended = {id(near): started, id(matched): started}

        async def bring(leg: list[Candidate], search: Callable[[], Awaitable[list[Candidate]]]) -> None:
            leg.extend(await search())
            ended[id(leg)] = self._clock.monotonic_s()

        async with anyio.create_task_group() as tasks:
            for layer in query.filter.layers:
                tasks.start_soon(bring, near, self._vector_leg(layer, query, vector))
                tasks.start_soon(bring, matched, self._text_leg(layer, query))
        return near, _ms(ended[id(near)] - started), matched, _ms(ended[id(matched)] - started)

    def _vector_leg(self, layer: Layer, query: Query, vector: Vector) -> Callable[[], Awaitable[list[Candidate]]]:
        return lambda: self._store.nearest(layer, vector, query.filter, query.candidates)

    def _text_leg(self, layer: Layer, query: Query) -> Callable[[], Awaitable[list[Candidate]]]:
        return lambda: self._store.matching(layer, query.text, query.filter, query.candidates)

    async def _reranked(self, query: Query, hits: list[Hit]) -> list[Hit]:
        if self._reranker is None or query.rerank == 0 or not hits:
            return hits
        head = hits[: query.rerank]
        scores = await self._reranker.score(query.text, [hit.record.text for hit in head])
        return [*mix(head, scores), *hits[query.rerank :]]


def _kept(hit: Hit, place: int, limit: int) -> Hit:
    return replace(hit, card=replace(hit.card, kept=f"place {place} of the best {limit}"))


def _ms(seconds: float) -> float:
    return seconds * 1000.0
