"""`bench retrieval`: the quality and latency of recall on given data, in a store of its own."""

import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from anyio import to_thread

from ourcli.app.bench.judged import Judged, QuestionLine, read, record_id, to_record
from ourcli.common.clock import Clock
from ourcli.common.events import EventSink, ProgressMade
from ourcli.memory.evaluation import mean, measure, percentile
from ourcli.memory.query import Filter, Hit, Query, SearchTiming
from ourcli.memory.service import MemoryService

MemoryOpener = Callable[[Path], AbstractAsyncContextManager[MemoryService]]
"""Opens a memory in a folder, with the installation's own models."""

_BATCH = 256
_DEPTH = 50
_SHOWN = 10
_ALL = 400
_STAGES = ("embed", "vector", "text", "fuse", "rerank", "total")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalReport:
    """Means over all queries, by category, and percentiles of the searches' time.

    `legs` holds the same metrics for each single leg, so that a ranking can be held against what it is made of.
    """

    metrics: Mapping[str, float]
    by_category: Mapping[str, Mapping[str, float]]
    latency_ms: Mapping[str, float]
    stages_ms: Mapping[str, float]
    legs: Mapping[str, Mapping[str, float]]
    records: int
    queries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answered:
    category: str
    metrics: Mapping[str, float]
    legs: Mapping[str, Mapping[str, float]]
    stages: Mapping[str, float]


class Bench:
    """Measure recall on a corpus and queries in JSON lines.

    Args:
        open_memory: Opens the temporary memory.
        clock: Times and stamps.
    """

    def __init__(self, open_memory: MemoryOpener, clock: Clock) -> None:
        self._open_memory = open_memory
        self._clock = clock

    async def run(self, corpus: Path, queries: Path, *, rerank: int, listen: EventSink) -> RetrievalReport:
        """Store the corpus (each `scope` a project), ask every query, judge the rankings.

        Raises:
            InvalidInputError: A file cannot be read, or a line of it is not valid; the message names it.
        """
        given = await to_thread.run_sync(read, corpus, queries)
        with tempfile.TemporaryDirectory(prefix="ourcli-bench-") as folder:
            async with self._open_memory(Path(folder) / "db") as memory:
                await self._store(memory, given, listen)
                judged = [one async for one in self._judge(memory, given, rerank, listen)]
        return _report(judged, len(given.texts))

    async def _store(self, memory: MemoryService, given: Judged, listen: EventSink) -> None:
        now = self._clock.now()
        records = [to_record(line, now) for line in given.texts]
        for start in range(0, len(records), _BATCH):
            await memory.add(records[start : start + _BATCH])
            self._progress(listen, "storing the corpus", min(start + _BATCH, len(records)), len(records))
        await memory.optimize()

    async def _judge(
        self, memory: MemoryService, given: Judged, rerank: int, listen: EventSink
    ) -> AsyncIterator[_Answered]:
        """Ask each question twice: as a user does, for the time it takes, and for all hits there are."""
        sessions = given.sessions()
        for done, question in enumerate(given.questions, start=1):
            asked = Query(text=question.query, filter=Filter(project=question.scope), rerank=rerank, limit=_SHOWN)
            timing = (await memory.run(asked)).timing_ms
            hits = (await memory.run(replace(asked, limit=_ALL))).hits
            yield _answered(question, hits, timing, sessions)
            self._progress(listen, "asking", done, len(given.questions))

    def _progress(self, listen: EventSink, task: str, done: int, total: int) -> None:
        listen.emit(ProgressMade(at=self._clock.now(), task=task, done=done, total=total, unit="records"))


def _answered(
    question: QuestionLine, hits: Sequence[Hit], timing: SearchTiming, sessions: Mapping[str, str]
) -> _Answered:
    """Judge one ranking, and each leg as if it stood alone."""
    relevant = {str(record_id(name)): grade for name, grade in question.relevant.items()}
    by_leg = {
        "vector": sorted(hits, key=lambda hit: -hit.card.vector.score),
        "text": sorted(hits, key=lambda hit: -hit.card.text.score),
    }
    return _Answered(
        category=question.category,
        metrics=measure([hit.record.id for hit in hits[: 4 * _DEPTH]], relevant, sessions),
        legs={
            name: measure([hit.record.id for hit in leg[:_DEPTH]], relevant, sessions) for name, leg in by_leg.items()
        },
        stages={name: getattr(timing, name) for name in _STAGES},
    )


def _report(judged: Sequence[_Answered], records: int) -> RetrievalReport:
    categories = sorted({one.category for one in judged})
    totals = [one.stages["total"] for one in judged]
    return RetrievalReport(
        metrics=mean([one.metrics for one in judged]),
        by_category={name: mean([one.metrics for one in judged if one.category == name]) for name in categories},
        latency_ms={f"p{share:.0f}": percentile(totals, share / 100) for share in (50, 95, 99)},
        stages_ms=mean([one.stages for one in judged]),
        legs={name: mean([one.legs[name] for one in judged]) for name in ("vector", "text")},
        records=records,
        queries=len(judged),
    )
