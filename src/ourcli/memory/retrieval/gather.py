"""From the legs of all layers to one pool: pure."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ourcli.memory.layers import Layer
from ourcli.memory.record import DIMS
from ourcli.memory.retrieval.legs import nothing, numbers, words
from ourcli.memory.retrieval.pool import Leg, Places, Pool, Scores
from ourcli.memory.vectors import Vector

Words = tuple[str, ...]
Numbers = NDArray[np.int64]
_Item = TypeVar("_Item")


def gather(near: Sequence[Leg], matched: Sequence[Leg], query: Vector) -> Pool:
    """Join the legs of all layers into one pool, each record once, the newest first; equally new ones by their ids.

    Args:
        near: What the vectors brought, a leg a layer.
        matched: What the words brought, a leg a layer.
        query: The query's unit vector, shape [384].
    """
    legs = [*near, *matched] or [nothing(Layer.INTERACT)]
    met: dict[str, None] = {}
    new = [_new(leg, met) for leg in legs]
    ts_us = _numbers(legs, new, lambda leg: leg.ts_us)
    order = newest_first(tuple(met), ts_us)
    came = order.tolist()
    ids = _ordered(tuple(met), came)
    place_of = dict(zip(ids, range(len(ids)), strict=True))
    vectors = _vectors(legs, new, order)
    text_rank, bm25 = _told(matched, place_of)
    return Pool(
        ids=ids,
        layers=_ordered(tuple(leg.layer for leg, places in zip(legs, new, strict=True) for _ in places), came),
        cosine=(vectors @ query).astype(np.float64),
        bm25=bm25,
        vector_rank=_told(near, place_of)[0],
        text_rank=text_rank,
        vectors=vectors,
        ts_us=ts_us[order],
        kinds=_ordered(_words(legs, new, lambda leg: leg.kinds), came),
        sessions=_ordered(_words(legs, new, lambda leg: leg.sessions), came),
        turns=_numbers(legs, new, lambda leg: leg.turns)[order],
        speakers=_ordered(_words(legs, new, lambda leg: leg.speakers), came),
        chars=_numbers(legs, new, lambda leg: leg.chars)[order],
    )


def newest_first(ids: Sequence[str], ts_us: Numbers) -> Numbers:
    """Return the places of records from the newest to the oldest, [n]; equally new ones by their ids."""
    by_id = np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)
    order: Numbers = by_id[np.argsort(-ts_us[by_id], kind="stable")]
    return order


def _new(leg: Leg, met: dict[str, None]) -> Numbers:
    """Return the places of the candidates that no earlier leg brought."""
    new: list[int] = []
    for at, one in enumerate(leg.ids):
        if one not in met:
            met[one] = None
            new.append(at)
    return np.array(new, dtype=np.int64)


def _vectors(legs: Sequence[Leg], new: Sequence[Numbers], order: Numbers) -> NDArray[np.float32]:
    """Return the vectors of the new candidates of all legs in order, [n, 384]."""
    vectors = np.empty((len(order), DIMS), dtype=np.float32)
    place = np.argsort(order)
    filled = 0
    for leg, places in zip(legs, new, strict=True):
        vectors[place[filled : filled + len(places)]] = leg.vectors[places]
        filled += len(places)
    return vectors


def _ordered(column: tuple[_Item, ...], order: Sequence[int]) -> tuple[_Item, ...]:
    return tuple([column[at] for at in order])


def _words(legs: Sequence[Leg], new: Sequence[Numbers], column: Callable[[Leg], Words]) -> Words:
    pairs = zip([column(leg) for leg in legs], new, strict=True)
    return tuple([given[at] for given, places in pairs for at in places.tolist()])


def _numbers(legs: Sequence[Leg], new: Sequence[Numbers], column: Callable[[Leg], Numbers]) -> Numbers:
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
