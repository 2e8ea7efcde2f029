"""From the candidates of the legs to one ranking: pure functions over arrays.

Score-normalised weighted fusion (convex combination after min-max; Bruch, Gai and Ingber, "An Analysis of
Fusion Functions for Hybrid Retrieval", ACM TOIS 2023) beat reciprocal rank fusion on every collection measured
for this project; see `docs/decisions`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ourcli.common.ids import RecordId
from ourcli.memory.layers import LAYERS
from ourcli.memory.ports import Candidate
from ourcli.memory.query import Hit, LegScore, ScoreCard
from ourcli.memory.record import Record
from ourcli.memory.vectors import Vector

Scores = NDArray[np.float64]
"""Shape [candidates]."""

TEXT_WEIGHT = 0.4
"""Share of BM25 in the fused score; the best single value over talk, abstracts and code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """All candidates of a search, each once, with what every leg says of it.

    Attributes:
        records: The candidates.
        cosine: Cosine similarity to the query, exact for every candidate, shape [n].
        bm25: BM25 score, 0 where the text leg did not bring the candidate, shape [n].
        vector_rank: Place in the vector leg from 1, by position in `records`.
        text_rank: Place in the text leg from 1, by position in `records`.
    """

    records: tuple[Record, ...]
    cosine: Scores
    bm25: Scores
    vector_rank: dict[int, int]
    text_rank: dict[int, int]


def gather(vector_leg: Sequence[Candidate], text_leg: Sequence[Candidate], query: Vector) -> Pool:
    """Join the legs into one pool; `query` is the query's unit vector, shape [384]."""
    by_id = {candidate.record.id: candidate for candidate in (*text_leg, *vector_leg)}
    place = {record_id: i for i, record_id in enumerate(by_id)}
    candidates = list(by_id.values())
    if candidates:
        cosine = np.stack([candidate.vector for candidate in candidates]) @ query
    else:
        cosine = np.zeros(0, dtype=np.float32)
    bm25 = np.zeros(len(candidates), dtype=np.float64)
    for candidate in text_leg:
        bm25[place[candidate.record.id]] = candidate.score
    return Pool(
        records=tuple(candidate.record for candidate in candidates),
        cosine=cosine.astype(np.float64),
        bm25=bm25,
        vector_rank=_ranks(vector_leg, place),
        text_rank=_ranks(text_leg, place),
    )


def _ranks(leg: Sequence[Candidate], place: dict[RecordId, int]) -> dict[int, int]:
    best_first = sorted(leg, key=lambda candidate: -candidate.score)
    return {place[candidate.record.id]: rank for rank, candidate in enumerate(best_first, start=1)}


def normalised(scores: Scores) -> Scores:
    """Stretch scores to 0..1 (min-max); equal scores all become 1, none stay none."""
    if not scores.size:
        return scores
    low, high = scores.min(), scores.max()
    return np.ones_like(scores) if high <= low else (scores - low) / (high - low)


def fuse(pool: Pool, text_weight: float = TEXT_WEIGHT) -> Scores:
    """Return the weighted sum of the normalised legs, in 0..1; without any text match only vectors count."""
    if not pool.text_rank:
        return normalised(pool.cosine)
    return (1.0 - text_weight) * normalised(pool.cosine) + text_weight * normalised(pool.bm25)


def rank(pool: Pool, fused: Scores) -> list[Hit]:
    """Return all candidates as hits, best first, with layer weights applied; ties keep the newer record first."""
    hits = [_hit(pool, i, float(fused[i])) for i in range(len(pool.records))]
    hits.sort(key=lambda hit: (hit.score, hit.record.ts, hit.record.id), reverse=True)
    return hits


def _hit(pool: Pool, i: int, fused: float) -> Hit:
    record = pool.records[i]
    weight = LAYERS[record.layer].weight
    card = ScoreCard(
        vector=LegScore(rank=pool.vector_rank.get(i), score=float(pool.cosine[i])),
        text=LegScore(rank=pool.text_rank.get(i), score=float(pool.bm25[i])),
        fused=fused,
        layer_weight=weight,
        recency=1.0,
        rerank=None,
        kept="",
    )
    return Hit(record=record, score=fused * weight, card=card)
