"""From a pool to its order: a small linear model over features of the legs, one for each kind of record; pure.

Score-normalised fusion (Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", ACM TOIS 2023)
with learned weights. `docs/decisions` has the numbers, `tools/learn_fusion.py` learns the weights again.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ourcli.memory.layers import LAYERS
from ourcli.memory.retrieval.duplicates import without_duplicates
from ourcli.memory.retrieval.features import FEATURES, features, normalised
from ourcli.memory.retrieval.gather import newest_first
from ourcli.memory.retrieval.kinds import Weights, weights_for
from ourcli.memory.retrieval.legs import NO_TURN
from ourcli.memory.retrieval.pool import Pool, Ranking, Scores
from ourcli.memory.retrieval.recency import recency
from ourcli.memory.retrieval.weights import WeightTable, shipped

BASE = "base"
"""The share that all candidates of a kind have in common: it brings the kinds of one search to one scale."""
COLUMNS = (*FEATURES, BASE)
_EQUAL = Weights.EQUAL.value
_LAYER_WEIGHT = MappingProxyType({layer: spec.weight for layer, spec in LAYERS.items()})


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
    sort = newest_first(pool.ids, pool.ts_us)
    if not np.array_equal(sort, np.arange(len(sort))):
        return _unsorted(rank(_picked(pool, sort), question, now=now, weights=weights), sort)
    fused = fuse(pool, question, weights or shipped())
    layer_weight = np.array([_LAYER_WEIGHT[layer] for layer in pool.layers], dtype=np.float64)
    factor = recency(pool.layers, pool.ts_us, now)
    score = fused.score * layer_weight * factor
    kept, duplicates = without_duplicates(pool, np.argsort(-score, kind="stable"))
    return Ranking(
        order=kept,
        score=score,
        fused=fused.score,
        shares=fused.shares,
        features=COLUMNS,
        model=fused.model,
        layer_weight=layer_weight,
        recency=factor,
        duplicates=duplicates,
    )


def _unsorted(ranking: Ranking, sort: NDArray[np.int64]) -> Ranking:
    """Return the ranking of a pool for the same pool in the order from which `sort` made it."""
    back = np.argsort(sort)
    return replace(
        ranking,
        order=sort[ranking.order],
        score=ranking.score[back],
        fused=ranking.fused[back],
        shares=ranking.shares[back],
        model=tuple(map(ranking.model.__getitem__, back.tolist())),
        layer_weight=ranking.layer_weight[back],
        recency=ranking.recency[back],
        duplicates=ranking.duplicates[back],
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
    model = np.full(len(pool.ids), _EQUAL, dtype=np.object_)
    for name, places in _by_kind(pool).items():
        own = values[places] * weights.of[name]
        reach = float(np.ptp(own.sum(axis=1)))
        if name is not Weights.EQUAL and reach > 0:
            shares[places] = _over_span(own, level[places], reach)
            model[places] = name.value
    return Fused(score=np.clip(shares.sum(axis=1), 0.0, 1.0), shares=shares, model=tuple(model.tolist()))


def _by_kind(pool: Pool) -> dict[Weights, NDArray[np.int64]]:
    """Return the places of the candidates that each table of weights ranks."""
    is_turn = (pool.turns >= 0) & np.array([session != "" for session in pool.sessions], dtype=np.bool_)
    number = {kind: at for at, kind in enumerate(dict.fromkeys(pool.kinds))}
    kind_of = np.array([number[kind] for kind in pool.kinds], dtype=np.int64)
    found: dict[Weights, list[NDArray[np.bool_]]] = {}
    for kind, at in number.items():
        for session, turn, among in (("any", 0, is_turn), ("", NO_TURN, ~is_turn)):
            found.setdefault(weights_for(kind, session, turn), []).append(among & (kind_of == at))
    places = {name: np.flatnonzero(np.logical_or.reduce(masks)) for name, masks in found.items()}
    return {name: members for name, members in places.items() if len(members)}


def _over_span(own: NDArray[np.float64], level: Scores, reach: float) -> NDArray[np.float64]:
    """Return a kind's shares scaled and moved so that their sums reach from the lowest to the highest level."""
    scale = float(np.ptp(level)) / reach
    shares = _with_base(own * scale)
    shares[:, -1] = level.min() - own.sum(axis=1).min() * scale
    return shares


def _by_vectors(pool: Pool) -> Fused:
    shares = np.zeros((len(pool.ids), len(COLUMNS)), dtype=np.float64)
    shares[:, COLUMNS.index("vector")] = normalised(pool.cosine)
    return Fused(score=shares.sum(axis=1), shares=shares, model=(_EQUAL,) * len(pool.ids))


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
