"""The learned weights: read from the table in the package, checked, and kept."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ourcli.memory.retrieval.features import FEATURES
from ourcli.memory.retrieval.kinds import Weights

_RERANK = "rerank"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeightTable:
    """Weights of the fusion, by kind of record.

    Attributes:
        of: For each name of `Weights` its weights in the order of `FEATURES`, [features].
        rerank: For each name the reranker's share in the final score, 0..1.
    """

    of: Mapping[Weights, NDArray[np.float64]]
    rerank: Mapping[str, float]


@cache
def shipped() -> WeightTable:
    """Return the table in the package; it is read once."""
    return parsed(files("ourcli.memory.retrieval").joinpath("weights.toml").read_text(encoding="utf-8"))


def parsed(text: str) -> WeightTable:
    """Return the table that a TOML text holds.

    Raises:
        ValueError: A kind is missing, or something in it is no feature or no finite number.
    """
    table = tomllib.loads(text)
    if wrong := set(table) ^ {*Weights, _RERANK}:
        raise ValueError(f"missing or unknown: {', '.join(sorted(wrong))}")
    rerank = {str(name): _number(name, value) for name, value in table[_RERANK].items()}
    return WeightTable(
        of=MappingProxyType({name: _row(table[name]) for name in Weights}), rerank=MappingProxyType(rerank)
    )


def _row(weights: Mapping[str, object]) -> NDArray[np.float64]:
    if wrong := set(weights) - set(FEATURES):
        raise ValueError(f"no such feature: {', '.join(sorted(wrong))}")
    return np.array([_number(name, weights.get(name, 0.0)) for name in FEATURES], dtype=np.float64)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"the weight of {name!r} is no finite number: {value!r}")
    return float(value)
