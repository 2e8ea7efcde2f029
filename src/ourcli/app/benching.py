"""`bench retrieval`: the quality and latency of recall on given data, in a store of its own."""

import json
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ConfigDict, ValidationError

from ourcli.common.clock import Clock
from ourcli.common.errors import InvalidInputError
from ourcli.common.events import EventSink, ProgressMade
from ourcli.common.ids import RecordId
from ourcli.memory.evaluation import mean, measure, percentile
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter, Query
from ourcli.memory.record import Record
from ourcli.memory.service import MemoryService

MemoryOpener = Callable[[Path], AbstractAsyncContextManager[MemoryService]]
"""Opens a memory in a folder, with the installation's own models."""

_LineT = TypeVar("_LineT", bound=BaseModel)
_BATCH = 256
_DEPTH = 50


class _CorpusLine(BaseModel):
    model_config = ConfigDict(extra="ignore")  # data sets carry columns of their own
    id: str
    text: str
    scope: str = "all"
    session: str | int | None = None
    turn: int | None = None
    speaker: str = ""


class _QueryLine(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: str
    query: str
    scope: str = "all"
    category: str = "all"
    relevant: dict[str, int]


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
class _Judged:
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
        documents = _lines(corpus, _CorpusLine)
        asked = _lines(queries, _QueryLine)
        if not documents or not asked:
            raise InvalidInputError("there is nothing to measure: a file is empty", hint="give one record a line")
        with tempfile.TemporaryDirectory(prefix="ourcli-bench-") as folder:
            async with self._open_memory(Path(folder) / "db") as memory:
                await self._store(memory, documents, listen)
                judged = [one async for one in self._judge(memory, documents, asked, rerank, listen)]
        return _report(judged, len(documents))

    async def _store(self, memory: MemoryService, documents: Sequence[_CorpusLine], listen: EventSink) -> None:
        records = [self._record(document) for document in documents]
        for start in range(0, len(records), _BATCH):
            await memory.add(records[start : start + _BATCH])
            self._progress(listen, "storing the corpus", min(start + _BATCH, len(records)), len(records))
        await memory.optimize()

    def _record(self, document: _CorpusLine) -> Record:
        return Record(
            id=_record_id(document.id),
            text=document.text,
            layer=Layer.ASSETS,
            ts=self._clock.now(),
            project=document.scope,
            session="" if document.session is None else f"{document.scope}/{document.session}",
            turn=document.turn,
            speaker=document.speaker,
        )

    async def _judge(
        self,
        memory: MemoryService,
        documents: Sequence[_CorpusLine],
        asked: Sequence[_QueryLine],
        rerank: int,
        listen: EventSink,
    ) -> AsyncIterator[_Judged]:
        sessions = {
            str(_record_id(one.id)): f"{one.scope}/{one.session}" for one in documents if one.session is not None
        }
        for done, query in enumerate(asked, start=1):
            request = Query(text=query.query, filter=Filter(project=query.scope), rerank=rerank, limit=400)
            result = await memory.run(request)
            relevant = {str(_record_id(name)): grade for name, grade in query.relevant.items()}
            by_vector = sorted(result.hits, key=lambda hit: -hit.card.vector.score)
            by_text = sorted(result.hits, key=lambda hit: -hit.card.text.score)
            legs = {
                name: measure([hit.record.id for hit in hits][:_DEPTH], relevant, sessions)
                for name, hits in (("vector", by_vector), ("text", by_text))
            }
            timing = result.timing_ms
            stages = {name: getattr(timing, name) for name in ("embed", "vector", "text", "fuse", "rerank", "total")}
            ranking = [hit.record.id for hit in result.hits][: 4 * _DEPTH]
            yield _Judged(
                category=query.category, metrics=measure(ranking, relevant, sessions), legs=legs, stages=stages
            )
            self._progress(listen, "asking", done, len(asked))

    def _progress(self, listen: EventSink, task: str, done: int, total: int) -> None:
        listen.emit(ProgressMade(at=self._clock.now(), task=task, done=done, total=total, unit="records"))


def _record_id(name: str) -> RecordId:
    """Return a stable UUID for a data set's own id."""
    return RecordId(str(uuid5(NAMESPACE_URL, name)))


def _report(judged: Sequence[_Judged], records: int) -> RetrievalReport:
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


def _lines(path: Path, shape: type[_LineT]) -> list[_LineT]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidInputError(f"cannot read {str(path)!r}: {exc}") from exc
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found.append(shape.model_validate(json.loads(line)))
        except (ValueError, ValidationError) as exc:
            first = str(exc).splitlines()[0]
            raise InvalidInputError(f"{path.name}, line {number}: {first}", hint="one JSON object a line") from exc
    return found
