"""Mix a reranker's word into the first ranking: pure."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ourcli.memory.query import Hit
from ourcli.memory.retrieval.fusion import normalised

RERANK_WEIGHT = 0.3
"""Share of the reranker in the final score. Late interaction alone loses to the first stage; mixed in, it gains."""


def mix(hits: Sequence[Hit], scores: Sequence[float], weight: float = RERANK_WEIGHT) -> list[Hit]:
    """Reorder `hits` (best first) by first stage and reranker together.

    Args:
        hits: What was reranked; all of it.
        scores: The reranker's score of each hit, higher is better.
        weight: Share of the reranker, 0..1.
    """
    if not hits:
        return []
    first = normalised(np.array([hit.score for hit in hits], dtype=np.float64))
    second = normalised(np.array(scores, dtype=np.float64))
    top = max(hit.score for hit in hits)
    mixed = top * ((1.0 - weight) * first + weight * second)
    reranked = [
        replace(hit, score=float(total), card=replace(hit.card, rerank=float(score)))
        for hit, score, total in zip(hits, scores, mixed, strict=True)
    ]
    reranked.sort(key=lambda hit: hit.score, reverse=True)
    return reranked
