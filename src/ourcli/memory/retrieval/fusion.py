"""From a pool to its order: a small linear model over features of the legs, one for each kind of record; pure.

Score-normalised fusion (Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", ACM TOIS 2023)
with learned weights. `docs/decisions` has the numbers, `tools/learn_fusion.py` learns the weights again.
"""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from ourcli.memory.layers import LAYERS
from ourcli.memory.retrieval.duplicates import without_duplicates
from ourcli.memory.retrieval.features import FEATURES, features, normalised
from ourcli.memory.retrieval.kinds import Weights, weights_for
from ourcli.memory.retrieval.pool import Pool, Ranking, Scores
from ourcli.memory.retrieval.recency import recency
from ourcli.memory.retrieval.weights import WeightTable, shipped

BASE = "base"
"""The share that all candidates of a kind have in common: it brings the kinds of one search to one scale."""
COLUMNS = (*FEATURES, BASE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fused:
    """The legs as one score.

    Attributes:
        score: In 0..1, [n].
        shares: What each feature and the base add to it, [n, len(COLUMNS)].
        model: Name of the weights used for each candidate, [n].
    """

    score: Scores
    shares: NDArray[np.float64]
    model: tuple[str, ...]


def rank(pool: Pool, question: str, *, now: datetime, weights: WeightTable | None = None) -> Ranking:
    """Put a pool in order: the fused score, times the weight of the layer, times recency; the newer of equals first.

    Args:
        pool: The candidates, in any order: it changes nothing.
        question: What was asked.
        now: When it is asked, aware.
        weights: Others than the shipped ones.
    """
    count = len(pool.ids)
    newest_first = list(zip((-pool.ts_us).tolist(), pool.ids, strict=True))
    sort = np.array(sorted(range(count), key=newest_first.__getitem__), dtype=np.int64)
    back = np.argsort(sort)
    fused = fuse(_picked(pool, sort), question, weights or shipped())
    layer_weight = np.array([LAYERS[layer].weight for layer in pool.layers], dtype=np.float64)
    factor = recency(pool.layers, pool.ts_us, now)
    score = fused.score[back] * layer_weight * factor
    order = sort[np.argsort(-score[sort], kind="stable")]
    kept, duplicates = without_duplicates(pool, order)
    return Ranking(
        order=kept,
        score=score,
        fused=fused.score[back],
        shares=fused.shares[back],
        features=COLUMNS,
        model=tuple(map(fused.model.__getitem__, back.tolist())),
        layer_weight=layer_weight,
        recency=factor,
        duplicates=duplicates,
    )


def fuse(pool: Pool, question: str, weights: WeightTable) -> Fused:
    """Return the legs of all candidates as one score.

    Each kind is put in order by weights of its own, and then laid over the span that equal weights give it: between
    the kinds equal weights decide. Where no word of the question was found, vectors decide alone.
    """
    if not pool.text_rank.any():
        return _by_vectors(pool)
    values = features(pool, question)
    equal = weights.of[Weights.EQUAL]
    shares = _with_base(values * (equal / equal.sum()))
    level = shares.sum(axis=1)
    model = [Weights.EQUAL.value] * len(pool.ids)
    for name, members in _by_kind(pool).items():
        places = np.array(members, dtype=np.int64)
        own = values[places] * weights.of[name]
        reach = float(np.ptp(own.sum(axis=1)))
        if name is not Weights.EQUAL and reach > 0:
            shares[places] = _over_span(own, level[places], reach)
            for place in members:
                model[place] = name.value
    return Fused(score=np.clip(shares.sum(axis=1), 0.0, 1.0), shares=shares, model=tuple(model))


def _by_kind(pool: Pool) -> dict[Weights, list[int]]:
    """Return the places of the candidates that each table of weights ranks."""
    found: dict[Weights, list[int]] = {}
    known: dict[tuple[str, bool], list[int]] = {}
    for place, (kind, session, turn) in enumerate(zip(pool.kinds, pool.sessions, pool.turns.tolist(), strict=True)):
        told = (kind, session != "" and turn >= 0)
        if told not in known:
            known[told] = found.setdefault(weights_for(kind, session, turn), [])
        known[told].append(place)
    return found


def _over_span(own: NDArray[np.float64], level: Scores, reach: float) -> NDArray[np.float64]:
    """Return a kind's shares scaled and moved so that their sums reach from the lowest to the highest level."""
    scale = float(np.ptp(level)) / reach
    shares = _with_base(own * scale)
    shares[:, -1] = level.min() - own.sum(axis=1).min() * scale
    return shares


def _by_vectors(pool: Pool) -> Fused:
    shares = np.zeros((len(pool.ids), len(COLUMNS)), dtype=np.float64)
    shares[:, COLUMNS.index("vector")] = normalised(pool.cosine)
    return Fused(score=shares.sum(axis=1), shares=shares, model=(str(Weights.EQUAL),) * len(pool.ids))


def _with_base(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.hstack([shares, np.zeros((len(shares), 1), dtype=np.float64)])


def _picked(pool: Pool, places: NDArray[np.int64]) -> Pool:
    """Return the candidates at these places, in their order."""
    order = places.tolist()
    return replace(
        pool,
        ids=tuple(map(pool.ids.__getitem__, order)),
        layers=tuple(map(pool.layers.__getitem__, order)),
        cosine=pool.cosine[places],
        bm25=pool.bm25[places],
        vector_rank=pool.vector_rank[places],
        text_rank=pool.text_rank[places],
        vectors=pool.vectors[places],
        ts_us=pool.ts_us[places],
        kinds=tuple(map(pool.kinds.__getitem__, order)),
        sessions=tuple(map(pool.sessions.__getitem__, order)),
        turns=pool.turns[places],
        speakers=tuple(map(pool.speakers.__getitem__, order)),
        chars=pool.chars[places],
    )
