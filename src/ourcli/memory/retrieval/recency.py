"""How much age takes from a score: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ourcli.memory.layers import Layer
from ourcli.memory.retrieval.pool import Scores

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fading:
    """How a layer's records fade.

    Attributes:
        half_life: After so long half of `most` is lost.
        most: Share of the score that age can take at most.
    """

    half_life: timedelta
    most: float


FADING = MappingProxyType(
    {
        Layer.INTERACT: Fading(half_life=timedelta(hours=12), most=0.1),
        Layer.INSIGHTS: Fading(half_life=timedelta(days=30), most=0.1),
        Layer.ASSETS: Fading(half_life=timedelta(days=365), most=0.05),
    }
)
"""Mild on purpose: between two records that answer alike the newer one wins, and no old answer loses to a new text that
is beside the point. A layer's half-life is half its retention or less; a file's age says little."""


def recency(layers: Sequence[Layer], ts_us: NDArray[np.int64], now: datetime) -> Scores:
    """Return a factor in 0..1 for each record: 1.0 for one of now or later, falling towards `1 - most` with age.

    Args:
        layers: Each record's layer, n of them.
        ts_us: When each was said, microseconds since 1970 UTC, [n].
        now: The moment of the search, aware.
    """
    age_us = np.maximum((now - _EPOCH) // _MICROSECOND - ts_us, 0).astype(np.float64)
    told = {layer: (fading.half_life / _MICROSECOND, fading.most) for layer, fading in FADING.items()}
    half_us, most = np.array([told[layer] for layer in layers], dtype=np.float64).reshape(-1, 2).T
    return np.asarray(1.0 - most * (1.0 - np.exp2(-age_us / half_us)), dtype=np.float64)
