"""Pools for tests of ranking: a candidate a line."""

from dataclasses import replace
from typing import TypedDict, Unpack

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from ourcli.memory.layers import Layer
from ourcli.memory.record import DIMS
from ourcli.memory.retrieval.pool import Pool

NOON_US = 1_772_366_400_000_000
"""1 March 2026, noon, UTC."""


class Facts(TypedDict, total=False):
    """What a candidate may say of itself."""

    layer: Layer
    kind: str
    session: str
    turn: int
    speaker: str
    chars: int
    age_s: float


class Candidate(TypedDict):
    """One candidate."""

    id: str
    vector: tuple[float, ...]
    bm25: float
    facts: Facts


def a_candidate(name: str, vector: tuple[float, ...], bm25: float = 0.0, **facts: Unpack[Facts]) -> Candidate:
    """Return a candidate; its cosine is the first number of its vector, which is made a unit vector."""
    return Candidate(id=name, vector=vector, bm25=bm25, facts=facts)


def a_pool(*candidates: Candidate) -> Pool:
    """Return the pool of a query that points along the first axis."""
    facts = [one["facts"] for one in candidates]
    vectors = np.zeros((len(candidates), DIMS), dtype=np.float32)
    for row, one in zip(vectors, candidates, strict=True):
        row[: len(one["vector"])] = np.array(one["vector"]) / np.linalg.norm(one["vector"])
    bm25 = np.array([one["bm25"] for one in candidates], dtype=np.float64)
    cosine = vectors[:, 0].astype(np.float64) if candidates else np.zeros(0)
    return Pool(
        ids=tuple(one["id"] for one in candidates),
        layers=tuple(one.get("layer", Layer.INSIGHTS) for one in facts),
        cosine=cosine,
        bm25=bm25,
        vector_rank=_places(cosine),
        text_rank=np.where(bm25 > 0, _places(bm25), 0),
        vectors=vectors,
        ts_us=np.array([NOON_US - int(one.get("age_s", 0) * 1e6) for one in facts], dtype=np.int64),
        kinds=tuple(one.get("kind", "note") for one in facts),
        sessions=tuple(one.get("session", "") for one in facts),
        turns=np.array([one.get("turn", -1) for one in facts], dtype=np.int64),
        speakers=tuple(one.get("speaker", "") for one in facts),
        chars=np.array([one.get("chars", 40) for one in facts], dtype=np.int64),
    )


def shuffled(pool: Pool, places: list[int]) -> Pool:
    """Return the same pool with its candidates in another order."""
    return replace(
        pool,
        ids=tuple(pool.ids[at] for at in places),
        layers=tuple(pool.layers[at] for at in places),
        cosine=pool.cosine[places],
        bm25=pool.bm25[places],
        vector_rank=pool.vector_rank[places],
        text_rank=pool.text_rank[places],
        vectors=pool.vectors[places],
        ts_us=pool.ts_us[places],
        kinds=tuple(pool.kinds[at] for at in places),
        sessions=tuple(pool.sessions[at] for at in places),
        turns=pool.turns[places],
        speakers=tuple(pool.speakers[at] for at in places),
        chars=pool.chars[places],
    )


def _places(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    places = np.zeros(len(scores), dtype=np.int64)
    places[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return places


@st.composite
def pools(draw: st.DrawFn, least: int = 0) -> Pool:
    """Draw pools of talk, prose, code and notes in all layers, with equal scores and vectors among them."""
    numbers = st.floats(-1, 1, allow_nan=False).map(lambda number: round(number, 2))
    candidates = []
    for at in range(draw(st.integers(least, 12))):
        vector = (draw(numbers), draw(numbers), 0.1)
        facts = Facts(
            layer=draw(st.sampled_from(Layer)),
            kind=draw(st.sampled_from(["note", "document", "code", "decision"])),
            speaker=draw(st.sampled_from(["", "Ann", "Bob"])),
            chars=draw(st.integers(1, 5_000)),
            age_s=draw(st.sampled_from([0.0, 60.0, 1e6])),
        )
        if draw(st.booleans()):
            facts["session"] = draw(st.sampled_from(["", "s1", "s2"]))
            facts["turn"] = draw(st.integers(-1, 5))
        bm25 = draw(st.sampled_from([0.0, 0.0, 0.5, 3.0, 7.5]))
        candidates.append(Candidate(id=f"record-{at:02}", vector=vector, bm25=bm25, facts=facts))
    return a_pool(*candidates)
