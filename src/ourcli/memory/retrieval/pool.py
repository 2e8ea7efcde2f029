"""The candidates of one search as arrays: what every stage between the legs and the hits works on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ourcli.memory.layers import Layer

Scores = NDArray[np.float64]
"""Shape [n]."""
Places = NDArray[np.int64]
"""Shape [n]; a place in a leg from 1, 0 where the leg did not bring the candidate."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """What is known of n records without reading their texts, as columns.

    Attributes:
        ids: Record ids, [n].
        vectors: Unit vectors, [n, 384].
        ts_us: When it was said, microseconds since 1970 UTC, [n].
        kinds: Each record's kind, [n].
        sessions: Each record's session or "", [n].
        turns: Each record's turn, -1 for none, [n].
        speakers: Each record's speaker or "", [n].
        chars: Length of each text in characters, [n].
    """

    ids: tuple[str, ...]
    vectors: NDArray[np.float32]
    ts_us: NDArray[np.int64]
    kinds: tuple[str, ...]
    sessions: tuple[str, ...]
    turns: NDArray[np.int64]
    speakers: tuple[str, ...]
    chars: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leg(Rows):
    """What one leg brings from one layer, best first: columns of n candidates.

    Attributes:
        layer: The layer that was asked.
        scores: The leg's own score, higher is better: cosine, or BM25, [n].
    """

    layer: Layer
    scores: Scores


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool(Rows):
    """All candidates of a search, each once, with what every leg says of it; columns of n candidates.

    Attributes:
        layers: Each candidate's layer.
        cosine: Cosine similarity to the query, exact for every candidate.
        bm25: BM25 score, 0 where the text leg did not bring it.
        vector_rank: Place in the vector leg over all layers.
        text_rank: Place in the text leg over all layers.
    """

    layers: tuple[Layer, ...]
    cosine: Scores
    bm25: Scores
    vector_rank: Places
    text_rank: Places


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranking:
    """A pool in order, with what each card says; columns of n candidates as in the pool.

    Attributes:
        order: Positions in the pool, best first, near-duplicates left out.
        score: The score that decides, before reranking.
        fused: The legs (and all features of the fusion) as one score, in 0..1.
        shares: Each feature's share of `fused`, [n, features].
        features: Names of the columns of `shares`.
        model: Name of the weights that were used for each candidate: talk, prose, code or equal, [n].
        layer_weight: Factor of the layer.
        recency: Factor of age.
        duplicates: How many near-duplicates a kept candidate stands for, 0 for none.
    """

    order: NDArray[np.int64]
    score: Scores
    fused: Scores
    shares: NDArray[np.float64]
    features: tuple[str, ...]
    model: tuple[str, ...]
    layer_weight: Scores
    recency: Scores
    duplicates: NDArray[np.int64]
