"""Legs from rows, and legs put together: pure."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ourcli.memory.layers import Layer
from ourcli.memory.record import DIMS, Record
from ourcli.memory.retrieval.pool import Leg
from ourcli.memory.vectors import Vector

NO_TURN = -1
"""Stands in a leg's `turns` where a record has none."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_Number = TypeVar("_Number", np.float64, np.float32, np.int64)


def to_leg(layer: Layer, rows: Sequence[tuple[Record, Vector]], scores: Sequence[float], k: int) -> Leg:
    """Return the k best of some rows of a layer as a leg, best first."""
    records = [record for record, _ in rows]
    leg = Leg(
        layer=layer,
        ids=tuple(record.id for record in records),
        scores=np.array(scores, dtype=np.float64),
        vectors=np.stack([own for _, own in rows]) if rows else np.zeros((0, DIMS), dtype=np.float32),
        ts_us=np.array([(record.ts - _EPOCH) // _MICROSECOND for record in records], dtype=np.int64),
        kinds=tuple(record.kind for record in records),
        sessions=tuple(record.session for record in records),
        turns=np.array([NO_TURN if one.turn is None else one.turn for one in records], dtype=np.int64),
        speakers=tuple(record.speaker for record in records),
        chars=np.array([len(record.text) for record in records], dtype=np.int64),
    )
    return best(layer, [leg], k)


def nothing(layer: Layer) -> Leg:
    """Return the leg of a layer that brought nothing."""
    return to_leg(layer, [], [], 0)


def picked(leg: Leg, places: NDArray[np.int64]) -> Leg:
    """Return the candidates at these places, in their order."""
    return Leg(
        layer=leg.layer,
        ids=tuple(leg.ids[place] for place in places),
        scores=leg.scores[places],
        vectors=leg.vectors[places],
        ts_us=leg.ts_us[places],
        kinds=tuple(leg.kinds[place] for place in places),
        sessions=tuple(leg.sessions[place] for place in places),
        turns=leg.turns[places],
        speakers=tuple(leg.speakers[place] for place in places),
        chars=leg.chars[places],
    )


def without(leg: Leg, ids: Collection[str]) -> Leg:
    """Leave out the candidates with these ids."""
    places = [place for place, one in enumerate(leg.ids) if one not in ids]
    return leg if len(places) == len(leg.ids) else picked(leg, np.array(places, dtype=np.int64))


def best(layer: Layer, legs: Sequence[Leg], k: int) -> Leg:
    """Put legs of one layer together and return their k best candidates, best first; equals keep their order."""
    filled = [leg for leg in legs if leg.ids] or list(legs[:1])
    if len(filled) == 1 and _is_best(filled[0], k):
        return filled[0]
    scores = numbers(filled, lambda leg: leg.scores)
    order = np.argsort(-scores, kind="stable")[:k]
    if len(filled) == 1:
        return picked(filled[0], order)
    return picked(
        Leg(
            layer=layer,
            ids=words(filled, lambda leg: leg.ids),
            scores=scores,
            vectors=np.concatenate([leg.vectors for leg in filled]),
            ts_us=numbers(filled, lambda leg: leg.ts_us),
            kinds=words(filled, lambda leg: leg.kinds),
            sessions=words(filled, lambda leg: leg.sessions),
            turns=numbers(filled, lambda leg: leg.turns),
            speakers=words(filled, lambda leg: leg.speakers),
            chars=numbers(filled, lambda leg: leg.chars),
        ),
        order,
    )


def _is_best(leg: Leg, k: int) -> bool:
    """Say whether a leg is what `best` would make of it: copying one costs more than finding it."""
    return len(leg.ids) <= k and bool((leg.scores[:-1] >= leg.scores[1:]).all())


def words(legs: Sequence[Leg], column: Callable[[Leg], tuple[str, ...]]) -> tuple[str, ...]:
    """Return one column of words over several legs."""
    return tuple(chain.from_iterable(column(leg) for leg in legs))


def numbers(legs: Sequence[Leg], column: Callable[[Leg], NDArray[_Number]]) -> NDArray[_Number]:
    """Return one column of numbers over several legs; at least one leg."""
    return np.concatenate([column(leg) for leg in legs])
