"""What can be asked of memory, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ourcli.memory.layers import Layer
from ourcli.memory.record import Record, Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which records count. Empty tuples and None mean "any".

    Attributes:
        project: One project's memory, or None for all projects.
        layers: Layers to look in.
        tags: A record must carry all of them.
        kind: Its kind.
        session: Its session.
        since: Not older than this.
        until: Not younger than this.
        trust: Who the text comes from.
        source_uri: The file or page it was read from.
        ids: Exactly these records.
        parents: Records that were made from at least one of these.
    """

    project: str | None = None
    layers: tuple[Layer, ...] = tuple(Layer)
    tags: tuple[str, ...] = ()
    kind: str | None = None
    session: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    trust: Trust | None = None
    source_uri: str | None = None
    ids: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()


def matches(record: Record, where: Filter) -> bool:
    """Say whether a record passes a filter; layers are the caller's to check."""
    wanted = [
        (where.project, record.project),
        (where.kind, record.kind),
        (where.session, record.session),
        (where.trust, record.trust),
        (where.source_uri, record.source.uri if record.source else None),
    ]
    return (
        all(want is None or want == have for want, have in wanted)
        and set(where.tags) <= set(record.tags)
        and (not where.ids or record.id in where.ids)
        and (not where.parents or not set(where.parents).isdisjoint(record.parents))
        and (where.since is None or record.ts >= where.since)
        and (where.until is None or record.ts <= where.until)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One search.

    Attributes:
        text: The words asked.
        filter: Which records count.
        candidates: How many candidates each leg brings (`top_k` of the builder).
        rerank: How many of the fused candidates are reranked; 0 for none.
        limit: How many hits come back.
    """

    text: str
    filter: Filter = field(default_factory=Filter)
    candidates: int = 200
    rerank: int = 32
    limit: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LegScore:
    """A candidate's place in one leg of the search.

    Attributes:
        rank: Place in the leg from 1, or None when the leg did not bring it.
        score: The leg's own score (cosine for vectors, BM25 for text).
    """

    rank: int | None
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCard:
    """Why a hit stands where it stands.

    Attributes:
        vector: Place among the nearest vectors, cosine similarity.
        text: Place among the BM25 matches, BM25 score.
        fused: All features of the legs as one score, in 0..1.
        layer_weight: Factor of the record's layer.
        recency: Factor of age, at most 1.0.
        rerank: The reranker's score, or None when it was not reranked.
        kept: Why the hit was kept, in words.
        features: Each feature's share of `fused`; they add up to it. A share below 0 speaks against the record.
        model: Name of the weights that were used: talk, prose, code or equal; "" where nothing was weighed.
        duplicates: How many near-duplicates were left out for this one.
    """

    vector: LegScore
    text: LegScore
    fused: float
    layer_weight: float
    recency: float
    rerank: float | None
    kept: str
    features: Mapping[str, float] = field(default_factory=dict)
    model: str = ""
    duplicates: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One found record with its final score and the card that explains it."""

    record: Record
    score: float
    card: ScoreCard


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTiming:
    """Milliseconds by stage; legs run concurrently, so stages may add up to more than `total`."""

    embed: float
    vector: float
    text: float
    fuse: float
    rerank: float
    total: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """Hits, best first, and where the time went."""

    hits: tuple[Hit, ...]
    timing_ms: SearchTiming
