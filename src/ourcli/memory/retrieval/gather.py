"""From the legs of all layers to one pool: pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ourcli.memory.layers import Layer
from ourcli.memory.record import DIMS
from ourcli.memory.retrieval.legs import nothing, numbers, words
from ourcli.memory.retrieval.pool import Leg, Places, Pool, Scores
from ourcli.memory.vectors import Vector


def gather(near: Sequence[Leg], matched: Sequence[Leg], query: Vector) -> Pool:
    """Join the legs of all layers into one pool, each record once.

    Args:
        near: What the vectors brought, a leg a layer.
        matched: What the words brought, a leg a layer.
        query: The query's unit vector, shape [384].
    """
    legs = [*near, *matched] or [nothing(Layer.INTERACT)]
    ids = words(legs, lambda leg: leg.ids)
    place_of: dict[str, int] = {}
    first = np.array([at for at, one in enumerate(ids) if place_of.setdefault(one, at) == at], dtype=np.int64)
    place_of = {ids[at]: place for place, at in enumerate(first)}
    vectors = np.concatenate([leg.vectors for leg in legs])[first].reshape(-1, DIMS)
    layers = [leg.layer for leg in legs for _ in leg.ids]
    kinds, sessions, speakers = (
        words(legs, lambda leg: leg.kinds),
        words(legs, lambda leg: leg.sessions),
        words(legs, lambda leg: leg.speakers),
    )
    text_rank, bm25 = _told(matched, place_of)
    return Pool(
        ids=tuple(ids[at] for at in first),
        layers=tuple(layers[at] for at in first),
        cosine=(vectors @ query).astype(np.float64),
        bm25=bm25,
        vector_rank=_told(near, place_of)[0],
        text_rank=text_rank,
        vectors=vectors,
        ts_us=numbers(legs, lambda leg: leg.ts_us)[first],
        kinds=tuple(kinds[at] for at in first),
        sessions=tuple(sessions[at] for at in first),
        turns=numbers(legs, lambda leg: leg.turns)[first],
        speakers=tuple(speakers[at] for at in first),
        chars=numbers(legs, lambda leg: leg.chars)[first],
    )


def _told(legs: Sequence[Leg], place_of: dict[str, int]) -> tuple[Places, Scores]:
    """Return what one leg says of every candidate of the pool: its place over all layers from 1, and its score."""
    rank = np.zeros(len(place_of), dtype=np.int64)
    scores = np.zeros(len(place_of), dtype=np.float64)
    if not legs:
        return rank, scores
    given = numbers(legs, lambda leg: leg.scores)
    at = np.array([place_of[one] for one in words(legs, lambda leg: leg.ids)], dtype=np.int64)
    order: NDArray[np.int64] = np.argsort(-given, kind="stable")
    rank[at[order][::-1]] = np.arange(len(order), 0, -1)
    scores[at[order][::-1]] = given[order][::-1]
    return rank, scores
