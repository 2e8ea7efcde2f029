"""What `bench latency` measures: values, and the seam to what ours is held against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ourcli.memory.vectors import Matrix, Vector


class Plain(Protocol):
    """Another store on the same rows."""

    async def add(self, ids: Sequence[str], texts: Sequence[str], projects: Sequence[str], vectors: Matrix) -> None:
        """Append rows."""
        ...

    async def index(self) -> None:
        """Build its indexes."""
        ...

    async def hybrid(self, vector: Vector, text: str, project: str | None, k: int) -> list[str]:
        """Return the ids that vectors and words find together, best first."""
        ...

    async def nearest(self, vector: Vector, project: str | None, k: int) -> list[str]:
        """Return the ids of the nearest vectors, best first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyRun:
    """Searches of one kind.

    Attributes:
        engine: `ourcli` (the question embedded each time), `lancedb hybrid` or `brute force` (vectors only); the
            last two are given the question's vector.
        project: Whether one project, a quarter of the rows, was searched.
        in_flight: Searches at the same time.
        ms: p50, p95 and p99 of a search in milliseconds.
        recall: Share of the truly nearest 200 records that the vectors brought; None where it was not measured.
    """

    engine: str
    project: bool
    in_flight: int
    ms: Mapping[str, float]
    recall: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyReport:
    """Searches in a store of a size.

    Attributes:
        rows: Records in all.
        real_texts: So many of them are real and embedded; the others are grown from these by noise fitted to them.
        source: Where the real texts come from, in words.
        layers: Records by layer.
        runs: The searches.
        stages_ms: Mean of each stage of our searches, one at a time over all projects.
        add_rows_per_s: Bulk add with given vectors, acknowledged.
        index_s: Seconds to compact and index.
        rss_bytes: Memory of this process after our searches, before the others were opened; what filling took is in it.
    """

    rows: int
    real_texts: int
    source: str
    layers: Mapping[str, int]
    runs: tuple[LatencyRun, ...]
    stages_ms: Mapping[str, float]
    add_rows_per_s: float
    index_s: float
    rss_bytes: int
