"""A facade without models or store: it answers from what the test put into it, and notes what it was asked."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio

from ourcli.app.bench.benching import RetrievalReport
from ourcli.app.bench.latency_report import LatencyReport, LatencyRun
from ourcli.app.doctor import Check, State
from ourcli.app.memory.vacuuming import Vacuumed
from ourcli.app.requests import (
    Answer,
    AnswerTiming,
    AskRequest,
    Citation,
    ExportedRecord,
    IngestReport,
    NewRecord,
    Usage,
)
from ourcli.common.errors import InvalidInputError, NotFoundError
from ourcli.common.events import AnswerTextProduced, Event, EventSink, NullSink
from ourcli.common.ids import RecordId
from ourcli.config.settings import Settings
from ourcli.core.recipe import Cookbook, shipped
from ourcli.memory.layers import Layer
from ourcli.memory.ports import LayerStats
from ourcli.memory.private import anonymous
from ourcli.memory.query import Filter, Hit, LegScore, Query, ScoreCard, SearchResult, SearchTiming, matches
from ourcli.memory.record import DIMS, Record, Source
from ourcli.memory.stored import Contradiction, Redaction, Stored
from ourcli.testing.lifecycle import FakeLifecycle
from ourcli.testing.mcp import FakeMcp
from ourcli.testing.models import FakeModels
from ourcli.testing.secrets import A_SECRET, FakeRedactor
from ourcli.testing.tools import FakeTools

MORNING = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
A_CARD = ScoreCard(
    vector=LegScore(rank=1, score=0.75),
    text=LegScore(rank=None, score=0.0),
    fused=0.5,
    layer_weight=1.0,
    recency=1.0,
    rerank=None,
    kept="top 10",
)


def a_latency_report() -> LatencyReport:
    """Return what `bench latency` may bring."""
    ms = {"p50": 1.0, "p95": 2.0, "p99": 3.0}
    return LatencyReport(
        rows=1_000,
        real_texts=1_000,
        source="texts of some.jsonl",
        layers={"assets": 900, "insights": 90, "interact": 10},
        runs=(LatencyRun(engine="ourcli", project=True, in_flight=8, ms=ms, recall=0.5),),
        stages_ms={"embed": 1.0, "total": 2.0},
        add_rows_per_s=20_000.0,
        index_s=1.5,
        rss_bytes=500_000_000,
    )


def a_report() -> RetrievalReport:
    """Return a benchmark's result with round numbers."""
    return RetrievalReport(
        metrics={"recall@10": 0.5, "ndcg@10": 0.25},
        by_category={"temporal": {"recall@10": 0.75, "ndcg@10": 0.5}},
        latency_ms={"p50": 1.0, "p95": 2.0, "p99": 3.0},
        stages_ms={"embed": 0.5},
        legs={"vector": {"recall@10": 0.25, "ndcg@10": 0.125}},
        records=4,
        queries=2,
    )


def a_record(text: str, number: int = 1, **changes: object) -> Record:
    """Return a record with a readable id and a fixed time."""
    base = Record(id=RecordId(f"0190-{number}"), text=text, layer=Layer.INSIGHTS, ts=MORNING)
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names fields of Record


class FakeService(FakeModels):
    """Answer what the attributes say; keep what was asked in `asked`, `queries`, `filters`, `calls`.

    Set `failure` to make every call raise it, `card` for the card of every hit, `says` to choose what is streamed,
    `answer` to end with another text, `progress` to report work, `hangs` to never finish an answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.project: str | None = None
        self.failure: BaseException | None = None
        self.says: list[Event | str] = ["It is ", "15 minutes [1]."]
        self.notices: tuple[str, ...] = ()
        self.redacted: tuple[Redaction, ...] = ()
        self.contradicts: tuple[Contradiction, ...] = ()
        self.asked: list[AskRequest] = []
        self.queries: list[Query] = []
        self.filters: list[Filter] = []
        self.stored: dict[str, Record] = {}
        self.batches: list[int] = []
        self.log: list[dict[str, object]] = []
        self.ingested: list[tuple[Path, ...]] = []
        self.calls: list[tuple[str, tuple[object, ...]]] = []
        self.answer: str | None = None
        self.hangs = False
        self.closed = False
        self.card = A_CARD
        self.checks: list[Check] = []
        self.lifecycle = FakeLifecycle(self.stored, self._begin)
        self.tools = FakeTools(self._begin)
        self.mcp = FakeMcp(self._begin)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed = True

    @property
    def settings(self) -> Settings:
        """Return defaults with the project that was asked for."""
        return Settings(project=self.project or "default")

    def _begin(self, name: str = "", *arguments: object) -> None:
        if name:
            self.calls.append((name, arguments))
        if self.failure is not None:
            raise self.failure

    async def examine(self) -> Sequence[Check]:
        """Return `checks`."""
        self._begin("examine")
        return self.checks

    async def repair(self) -> Sequence[str]:
        """Make every check pass; say of which failed ones."""
        self._begin("repair")
        failed = [check for check in self.checks if check.state is State.FAILED]
        self.checks = [replace(check, state=State.OK, hint="") for check in self.checks]
        return [f"{check.name} works again" for check in failed]

    async def ask(self, request: AskRequest, listen: EventSink = NullSink()) -> Answer:  # noqa: B008
        """Stream `says`, then answer with it."""
        self._begin()
        self.asked.append(request)
        for piece in self.says:
            listen.emit(AnswerTextProduced(at=MORNING, text=piece) if isinstance(piece, str) else piece)
        said = "".join(piece for piece in self.says if isinstance(piece, str))
        if self.hangs:
            await anyio.sleep_forever()
        source = Source(uri="/notes/cache.md", lines=(3, 7), sha256="cd" * 32)
        citation = Citation(
            number=1, record_id="0190-1", layer="insights", score=0.875, source=source, text="TTL is 15 minutes"
        )
        return Answer(
            run_id="run-1",
            session=request.session or "session-1",
            project=request.project or "default",
            model=request.model or "tiny",
            mode="generated",
            answer=said if self.answer is None else self.answer,
            citations=(citation,) if request.use_memory else (),
            notices=self.notices,
            plan=await self.plan(request),
            usage=Usage(input_tokens=12, output_tokens=5),
            timing_ms=AnswerTiming(total=9.0, recall=1.0, rerank=0.0, prefill=2.0, first_token=3.0, generate=4.0),
        )

    async def plan(self, request: AskRequest) -> Mapping[str, object]:
        """Return a plan of two steps."""
        self._begin()
        steps = [
            {"id": "recall", "kind": "recall", "needs": []},
            {"id": "say", "kind": "generate", "needs": ["recall"]},
        ]
        return {"goal": request.text, "recipe": request.recipe or "answer", "steps": steps}

    async def recipes(self) -> Cookbook:
        """Return the shipped recipes, and one broken file."""
        self._begin()
        return Cookbook(recipes=shipped().recipes, problems=("recipe bad.toml: not valid TOML",))

    async def new_recipe(self, name: str) -> Path:
        """Say where it would stand; `answer` is taken."""
        self._begin()
        if name in shipped().recipes:
            raise InvalidInputError(f"the recipe {name!r} exists", hint="choose another name")
        return Path("/home/recipes") / f"{name}.toml"

    async def add(
        self,
        records: Sequence[NewRecord],
        listen: EventSink = NullSink(),  # noqa: B008
        *,
        allow_secrets: bool = False,
    ) -> Stored:
        """Keep records under running numbers."""
        self._begin()
        self.batches.append(len(records))
        for event in self.progress:
            listen.emit(event)
        ids, redacted = [], []
        for new in records:
            identifier = new.id or f"0190-{len(self.stored) + 1}"
            (clean,) = await FakeRedactor({} if allow_secrets else {A_SECRET: "aws-access-key"}).redact([new.text])
            if clean.found:
                redacted.append(Redaction(id=identifier, kinds=clean.found))
            self.stored[identifier] = Record(
                id=RecordId(identifier),
                text=clean.text,
                layer=new.layer,
                ts=datetime.fromisoformat(new.ts) if new.ts else MORNING,
                kind=new.kind,
                tags=new.tags,
                project=new.project or self.project or "default",
                session=new.session,
                speaker=new.speaker,
                turn=new.turn,
                source=new.source,
                parents=tuple(RecordId(parent) for parent in new.parents),
                trust=new.trust,
                context=new.context,
                model=new.model,
            )
            ids.append(identifier)
        return Stored(ids=tuple(ids), redacted=tuple(redacted), contradicts=self.contradicts)

    async def search(self, query: Query) -> SearchResult:
        """Return every stored record as a hit, in the order of storing."""
        self._begin()
        self.queries.append(query)
        hits = tuple(Hit(record=record, score=0.5, card=self.card) for record in self.stored.values())
        timing = SearchTiming(embed=1.0, vector=2.0, text=3.0, fuse=0.5, rerank=0.0, total=6.5)
        return SearchResult(hits=hits[: query.limit], timing_ms=timing)

    async def get(self, record_id: str) -> Record:
        """Return a stored record."""
        self._begin()
        if record_id not in self.stored:
            raise NotFoundError(f"no record {record_id!r}", hint="`ourcli memory list` shows what there is")
        return self.stored[record_id]

    async def records(self, where: Filter, limit: int | None) -> list[Record]:
        """Return stored records that pass the filter."""
        self._begin()
        self.filters.append(where)
        found = [record for record in self.stored.values() if record.layer in where.layers and matches(record, where)]
        return found[:limit]

    async def forget(
        self, ids: Sequence[str] = (), session: str | None = None, *, cascade: bool = False
    ) -> tuple[str, ...]:
        """Drop records by id or session, and with `cascade` their children."""
        self._begin("forget", ids, session, cascade)
        for missing in [one for one in ids if one not in self.stored]:
            raise NotFoundError(f"no record {missing!r}", hint="nothing was forgotten")
        gone = tuple(
            key
            for key, record in self.stored.items()
            if key in ids
            or (session and record.session == session)
            or (cascade and not set(ids).isdisjoint(record.parents))
        )
        for key in gone:
            del self.stored[key]
        return gone

    async def vacuum(self, listen: EventSink = NullSink()) -> Vacuumed:  # noqa: B008
        """Return fixed numbers."""
        self._begin("vacuum")
        for event in self.progress:
            listen.emit(event)
        return Vacuumed(flushed=3, expired=2, compacted=1, indexed=4)

    async def memory_stats(self) -> Mapping[Layer, LayerStats]:
        """Count the stored records."""
        self._begin()
        rows = {layer: sum(record.layer is layer for record in self.stored.values()) for layer in Layer}
        return {layer: LayerStats(rows=rows[layer], unindexed=0, fragments=1, bytes=2048) for layer in Layer}

    async def export(self, where: Filter, *, redact: bool = False) -> AsyncIterator[ExportedRecord]:
        """Yield the stored records with a unit vector each, or anonymous and without one."""
        self._begin("export", redact)
        self.filters.append(where)
        for record in self.stored.values():
            unit = (1.0, *[0.0] * (DIMS - 1))
            yield ExportedRecord(record=anonymous(record) if redact else record, embedding=None if redact else unit)

    async def reembed(self, listen: EventSink = NullSink()) -> int:  # noqa: B008
        """Say how many records there are."""
        self._begin()
        for event in self.progress:
            listen.emit(event)
        return len(self.stored)

    async def ingest(
        self,
        paths: Sequence[Path],
        project: str | None,
        listen: EventSink = NullSink(),  # noqa: B008
        *,
        allow_secrets: bool = False,
    ) -> IngestReport:
        """Count the paths; find a secret unless told to allow them."""
        self._begin("ingest", paths, project)
        self.ingested.append(tuple(paths))
        for event in self.progress:
            listen.emit(event)
        return IngestReport(
            files=len(paths),
            chunks=3,
            skipped=1,
            removed=0,
            seconds=0.25,
            problems=("x.bin: binary",),
            redacted=() if allow_secrets else self.redacted,
        )

    @asynccontextmanager
    async def watch(
        self, paths: Sequence[Path], project: str | None, listen: EventSink, *, allow_secrets: bool = False
    ) -> AsyncIterator[AsyncIterator[IngestReport]]:
        """Report twice."""

        async def reports() -> AsyncIterator[IngestReport]:
            for _ in range(2):
                yield await self.ingest(paths, project, listen, allow_secrets=allow_secrets)

        yield reports()

    async def bench_retrieval(
        self,
        corpus: Path,
        queries: Path,
        rerank: int,
        listen: EventSink = NullSink(),  # noqa: B008
    ) -> RetrievalReport:
        """Return fixed numbers."""
        self._begin("bench_retrieval", corpus, queries, rerank)
        for event in self.progress:
            listen.emit(event)
        return a_report()

    async def bench_latency(
        self,
        rows: int,
        corpus: Path | None,
        searches: int,
        listen: EventSink = NullSink(),  # noqa: B008
    ) -> LatencyReport:
        """Return fixed numbers."""
        self._begin("bench_latency", rows, corpus, searches)
        for event in self.progress:
            listen.emit(event)
        return a_latency_report()

    async def events(self, since: datetime | None, follow: bool) -> AsyncIterator[Mapping[str, object]]:  # noqa: FBT001
        """Yield `log`, from `since` on."""
        self._begin("events", since, follow)
        for entry in self.log:
            if since is None or datetime.fromisoformat(str(entry["at"])) >= since:
                yield entry
