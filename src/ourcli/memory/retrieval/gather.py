"""From the legs of all layers to one pool: pure."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ourcli.memory.layers import Layer
from ourcli.memory.record import DIMS
from ourcli.memory.retrieval.legs import nothing, numbers, words
from ourcli.memory.retrieval.pool import Leg, Places, Pool, Scores
from ourcli.memory.vectors import Vector

Words = tuple[str, ...]
Numbers = NDArray[np.int64]


def gather(near: Sequence[Leg], matched: Sequence[Leg], query: Vector) -> Pool:
    """Join the legs of all layers into one pool, each record once.

    Args:
        near: What the vectors brought, a leg a layer.
        matched: What the words brought, a leg a layer.
        query: The query's unit vector, shape [384].
    """
    legs = [*near, *matched] or [nothing(Layer.INTERACT)]
    place_of: dict[str, int] = {}
    first = [_new(leg, place_of) for leg in legs]
    vectors = np.empty((len(place_of), DIMS), dtype=np.float32)
    filled = 0
    for leg, new in zip(legs, first, strict=True):
        vectors[filled : filled + len(new)] = leg.vectors[new]
        filled += len(new)
    text_rank, bm25 = _told(matched, place_of)
    return Pool(
        ids=tuple(place_of),
        layers=tuple(leg.layer for leg, new in zip(legs, first, strict=True) for _ in new),
        cosine=(vectors @ query).astype(np.float64),
        bm25=bm25,
        vector_rank=_told(near, place_of)[0],
        text_rank=text_rank,
        vectors=vectors,
        ts_us=_numbers(legs, first, lambda leg: leg.ts_us),
        kinds=_words(legs, first, lambda leg: leg.kinds),
        sessions=_words(legs, first, lambda leg: leg.sessions),
        turns=_numbers(legs, first, lambda leg: leg.turns),
        speakers=_words(legs, first, lambda leg: leg.speakers),
        chars=_numbers(legs, first, lambda leg: leg.chars),
    )


def _new(leg: Leg, place_of: dict[str, int]) -> NDArray[np.int64]:
    """Return the places of the candidates that no earlier leg brought, and give them a place in the pool."""
    new: list[int] = []
    for at, one in enumerate(leg.ids):
        if one not in place_of:
            place_of[one] = len(place_of)
            new.append(at)
    return np.array(new, dtype=np.int64)


def _words(legs: Sequence[Leg], new: Sequence[NDArray[np.int64]], column: Callable[[Leg], Words]) -> Words:
    pairs = zip([column(leg) for leg in legs], new, strict=True)
    return tuple(given[at] for given, places in pairs for at in places.tolist())


def _numbers(legs: Sequence[Leg], new: Sequence[NDArray[np.int64]], column: Callable[[Leg], Numbers]) -> Numbers:
    return np.concatenate([column(leg)[places] for leg, places in zip(legs, new, strict=True)])


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
