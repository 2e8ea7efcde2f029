"""Mix a reranker's word into the first ranking: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from ourcli.memory.query import Hit
from ourcli.memory.retrieval.features import normalised

RERANK_WEIGHT = 0.3
"""Share of the reranker in the final score. Late interaction alone loses to the first stage; mixed in, it gains."""

NO_WEIGHTS: Mapping[str, float] = MappingProxyType({})
NOT_IN_TIME = "not reranked in time: it keeps its first place"
"""What the card of a hit says that the reranker did not get to."""


def mix(
    hits: Sequence[Hit],
    scores: Sequence[float | None],
    weight: float = RERANK_WEIGHT,
    *,
    by_model: Mapping[str, float] = NO_WEIGHTS,
) -> list[Hit]:
    """Reorder `hits` (best first) by first stage and reranker together.

    Those that the reranker judged change places among each other; their scores stay within those that they had. One
    that it did not judge stands where it stood, with its score, and its card says so.

    Args:
        hits: What was given to the reranker; all of it.
        scores: The reranker's score of each hit, higher is better, None where there is none.
        weight: Share of the reranker, 0..1.
        by_model: Another share for the hits whose fusion used the weights of this name (the card's `model`).
    """
    judged = [(place, score) for place, score in enumerate(scores) if score is not None]
    mixed = [
        hit if score is not None else replace(hit, card=replace(hit.card, kept=NOT_IN_TIME))
        for hit, score in zip(hits, scores, strict=True)
    ]
    if not judged:
        return mixed
    places = [place for place, _ in judged]
    first = np.array([hits[place].score for place in places], dtype=np.float64)
    share = np.array([by_model.get(hits[place].card.model, weight) for place in places])
    second = normalised(np.array([score for _, score in judged], dtype=np.float64))
    totals = first.min() + (first.max() - first.min()) * ((1.0 - share) * normalised(first) + share * second)
    for slot, at in zip(places, np.argsort(-totals, kind="stable"), strict=True):
        place, score = judged[at]
        card = replace(hits[place].card, rerank=float(score))
        mixed[slot] = replace(hits[place], score=float(totals[at]), card=card)
    return mixed
