"""One search's way: embed and ask every leg of every layer at once, gather, rank, fetch, rerank, cut."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import anyio
import numpy as np

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
from ourcli.memory.retrieval.weights import shipped
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
        legs = await self._legs(query)
        gathered = self._clock.monotonic_s()
        pool = gather(legs.near, legs.matched, legs.vector)
        ranking = rank(pool, query.text, now=self._clock.now())
        hits = await self._hits(query, pool, ranking)
        fused = self._clock.monotonic_s()
        hits = await self._reranked(query, hits)
        ended = self._clock.monotonic_s()
        return SearchResult(
            hits=tuple(_kept(hit, place, query.limit) for place, hit in enumerate(hits[: query.limit], start=1)),
            timing_ms=SearchTiming(
                embed=_ms(legs.embedded - started),
                vector=_ms(legs.near_ended - legs.embedded),
                text=_ms(legs.matched_ended - started),
                fuse=_ms(fused - gathered),
                rerank=_ms(ended - fused),
                total=_ms(ended - started),
            ),
        )

    async def _legs(self, query: Query) -> "_Legs":
        """Ask every leg of every layer at once; the words need not wait for the question's vector."""
        legs = _Legs()

        async def match(layer: Layer) -> None:
            legs.matched.append(await self._store.matching(layer, query.text, query.filter, query.candidates))
            legs.matched_ended = self._clock.monotonic_s()

        async def find_near(layer: Layer) -> None:
            legs.near.append(await self._store.nearest(layer, legs.vector, query.filter, query.candidates))
            legs.near_ended = self._clock.monotonic_s()

        with _one_failure():
            async with anyio.create_task_group() as tasks:
                for layer in query.filter.layers:
                    tasks.start_soon(match, layer)
                legs.vector = await self._embedder.embed_query(query.text)
                legs.embedded = legs.near_ended = self._clock.monotonic_s()
                for layer in query.filter.layers:
                    tasks.start_soon(find_near, layer)
        return legs

    async def _hits(self, query: Query, pool: Pool, ranking: Ranking) -> list[Hit]:
        """Return the head of the ranking with its records; one that was deleted meanwhile is left out."""
        depth = max(query.rerank if self._reranker else 0, query.limit)
        head = [int(place) for place in ranking.order[:depth]]
        records = await self._records(query.filter, [(pool.layers[place], pool.ids[place]) for place in head])
        return [to_hit(pool, ranking, place, records[pool.ids[place]]) for place in head if pool.ids[place] in records]

    async def _records(self, where: Filter, wanted: Sequence[tuple[Layer, str]]) -> dict[str, Record]:
        """Read records, first where they were seen; what was moved meanwhile is looked for in every layer."""
        found: dict[str, Record] = {}

        async def read(layers: tuple[Layer, ...], ids: tuple[str, ...]) -> None:
            if ids:
                found.update({one.id: one for one in await self._store.fetch(Filter(ids=ids, layers=layers))})

        with _one_failure():
            async with anyio.create_task_group() as tasks:
                for layer in where.layers:
                    tasks.start_soon(read, (layer,), tuple(one for its, one in wanted if its is layer))
        await read(where.layers, tuple(one for _, one in wanted if one not in found))
        return {record_id: record for record_id, record in found.items() if matches(record, where)}

    async def _reranked(self, query: Query, hits: list[Hit]) -> list[Hit]:
        if self._reranker is None or query.rerank == 0 or not hits:
            return hits
        head = hits[: query.rerank]
        passages = [Passage(id=hit.record.id, text=hit.record.text) for hit in head]
        deadline_s = self._clock.monotonic_s() + self._rerank_s
        scores = await self._reranker.score(query.text, passages, deadline_s=deadline_s)
        return [*mix(head, scores, by_model=shipped().rerank), *hits[query.rerank :]]


@dataclass(slots=True)
class _Legs:
    """What the legs brought so far, and when the last layer answered, in seconds of the clock."""

    near: list[Leg] = field(default_factory=list)
    matched: list[Leg] = field(default_factory=list)
    vector: Vector = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    embedded: float = 0.0
    near_ended: float = 0.0
    matched_ended: float = 0.0


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
