"""From a pool to its order: pure functions over arrays.

Score-normalised weighted fusion (convex combination after min-max; Bruch, Gai and Ingber, "An Analysis of
Fusion Functions for Hybrid Retrieval", ACM TOIS 2023) beat reciprocal rank fusion on every collection measured
for this project; see `docs/decisions`.
"""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from ourcli.memory.layers import LAYERS
from ourcli.memory.retrieval.pool import Pool, Ranking, Scores

TEXT_WEIGHT = 0.4
"""Share of BM25 in the fused score; the best single value over talk, abstracts and code."""
FEATURES = ("cosine", "bm25")
"""Names of the columns of a ranking's shares."""


def normalised(scores: Scores) -> Scores:
    """Stretch scores to 0..1 (min-max); equal scores all become 1, none stay none."""
    if not scores.size:
        return scores
    low, high = scores.min(), scores.max()
    return np.ones_like(scores) if high <= low else (scores - low) / (high - low)


def rank(pool: Pool, question: str, *, now: datetime) -> Ranking:
    """Put a pool in order; ties keep the newer record first.

    Args:
        pool: The candidates.
        question: What was asked.
        now: When it is asked, aware.
    """
    del question, now
    count = len(pool.ids)
    shares = _shares(pool)
    fused = shares.sum(axis=1)
    layer_weight = np.array([LAYERS[layer].weight for layer in pool.layers], dtype=np.float64)
    score = fused * layer_weight
    newest = np.array(sorted(range(count), key=lambda place: (pool.ts_us[place], pool.ids[place]), reverse=True))
    order = newest[np.argsort(-score[newest], kind="stable")] if count else np.zeros(0, dtype=np.int64)
    return Ranking(
        order=order.astype(np.int64),
        score=score,
        fused=fused,
        shares=shares,
        features=FEATURES,
        model=("",) * count,
        layer_weight=layer_weight,
        recency=np.ones(count, dtype=np.float64),
        duplicates=np.zeros(count, dtype=np.int64),
    )


def _shares(pool: Pool, text_weight: float = TEXT_WEIGHT) -> NDArray[np.float64]:
    """Return what each leg adds to the fused score, [n, 2]; without any text match only vectors count."""
    weight = text_weight if pool.text_rank.any() else 0.0
    return np.stack([(1.0 - weight) * normalised(pool.cosine), weight * normalised(pool.bm25)], axis=1)
