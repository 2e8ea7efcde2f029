"""`bench latency`: how long a search takes in a store of a size, beside plain LanceDB and brute force."""

import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from statistics import fmean

import anyio
import numpy as np
from anyio import to_thread

from ourcli.app.bench.grown_texts import Grower, documentation, texts_of
from ourcli.app.bench.latency_report import LatencyReport, LatencyRun, Plain
from ourcli.app.bench.latency_rows import ASKED_PROJECT, LatencyRows, layer_of
from ourcli.common.clock import Clock
from ourcli.common.errors import InvalidInputError
from ourcli.common.events import EventSink, ProgressMade
from ourcli.memory.evaluation import percentile
from ourcli.memory.layers import Layer
from ourcli.memory.ports import Embedder, RecordStore
from ourcli.memory.query import Filter, Query, SearchTiming
from ourcli.memory.recall import Recall
from ourcli.memory.vectors import Matrix, Vector

REAL = 20_000
"""So many rows are real texts, at most."""
_CANDIDATES = 200
_SHOWN = 10
_WORDS = 9
_JUDGED = 40
_EMBEDDED_AT_ONCE = 256
_WARM_UP = 5
_MANY = 8
_STAGES = ("embed", "vector", "text", "fuse", "total")

Ask = Callable[[str], Awaitable[None]]


class LatencyBench:
    """Measures searches in stores of its own, which are thrown away.

    Args:
        open_store: Opens a record store in a folder.
        open_plain: Opens what it is held against in a folder.
        embedder: Embeds texts and questions.
        clock: Times and stamps.
        resident_bytes: Tells how much memory this process holds.
    """

    def __init__(
        self,
        open_store: Callable[[Path], AbstractAsyncContextManager[RecordStore]],
        open_plain: Callable[[Path], Awaitable[Plain]],
        embedder: Embedder,
        *,
        clock: Clock,
        resident_bytes: Callable[[], int],
    ) -> None:
        self._open_store = open_store
        self._open_plain = open_plain
        self._embedder = embedder
        self._clock = clock
        self._resident_bytes = resident_bytes

    async def run(self, rows: int, corpus: Path | None, *, searches: int, listen: EventSink) -> LatencyReport:
        """Fill the stores and search them.

        Args:
            rows: Records to search.
            corpus: JSON lines with real texts; without it they come from the documentation of this Python.
            searches: So many of each kind.
            listen: Hears of progress.

        Raises:
            InvalidInputError: The corpus cannot be read, or has too few texts.
        """
        source = f"texts of {corpus.name}" if corpus else "documentation inside of this Python's modules"
        asked = searches * 4 + _WARM_UP
        most = min(rows, REAL) + asked
        texts = await to_thread.run_sync(documentation, most) if corpus is None else texts_of(corpus, most)
        if len(texts) < 2 * asked:
            raise InvalidInputError(
                f"{source}: {len(texts)} different texts are too few", hint="give a longer --corpus"
            )
        questions = [" ".join(text.split()[:_WORDS]) for text in texts[-asked:]]
        real = texts[:-asked]
        vectors = await self._embedded(real, listen)
        grower = await to_thread.run_sync(Grower.fitted, real, vectors)
        data = LatencyRows(count=rows, grower=grower, now=self._clock.now())
        with tempfile.TemporaryDirectory(prefix="ourcli-bench-") as folder:
            return await self._measured(Path(folder), data, source, questions, listen)

    async def _embedded(self, texts: Sequence[str], listen: EventSink) -> Matrix:
        parts: list[Matrix] = []
        for start in range(0, len(texts), _EMBEDDED_AT_ONCE):
            parts.append(await self._embedder.embed_passages(texts[start : start + _EMBEDDED_AT_ONCE]))
            self._progress(listen, "embedding real texts", start + len(parts[-1]), len(texts))
        return np.concatenate(parts)

    async def _measured(
        self, folder: Path, data: LatencyRows, source: str, questions: Sequence[str], listen: EventSink
    ) -> LatencyReport:
        async with self._open_store(folder / "ours") as store:
            adding_s = await self._fill(store, data, listen)
            filled = self._clock.monotonic_s()
            await store.optimize()
            indexed = self._clock.monotonic_s()
        async with self._open_store(folder / "ours") as store:
            runs, stages = await self._search_ours(store, questions)
            rss_bytes = self._resident_bytes()
            vectors = np.stack([await self._embedder.embed_query(one) for one in questions])
            truth = await to_thread.run_sync(data.nearest, vectors[:_JUDGED], _CANDIDATES)
            recall = _recall(truth, [await _near(store, vector) for vector in vectors[:_JUDGED]])
        runs = [_with_recall(run, recall) for run in runs]
        runs += await self._search_plain(folder / "plain", data, questions, vectors, truth)
        runs.append(await self._compare_all(data, vectors))
        return LatencyReport(
            rows=data.count,
            real_texts=min(data.count, len(data.grower.texts)),
            source=source,
            layers=Counter(layer_of(number).value for number in range(data.count)),
            runs=tuple(runs),
            stages_ms=stages,
            add_rows_per_s=data.count / adding_s,
            index_s=indexed - filled,
            rss_bytes=rss_bytes,
        )

    async def _fill(self, store: RecordStore, data: LatencyRows, listen: EventSink) -> float:
        """Add the rows; return the seconds that adding took, for making them takes as long."""
        done, adding_s, chunks = 0, 0.0, data.chunks()
        while (chunk := await to_thread.run_sync(next, chunks, None)) is not None:
            started = self._clock.monotonic_s()
            await store.upsert(*chunk)
            adding_s += self._clock.monotonic_s() - started
            done += len(chunk[0])
            self._progress(listen, "filling the store", done, data.count)
        return adding_s

    async def _search_ours(
        self, store: RecordStore, questions: Sequence[str]
    ) -> tuple[list[LatencyRun], Mapping[str, float]]:
        """Ask each question once, for a question asked again is embedded already."""
        recall = Recall(store, self._embedder, None, self._clock)
        timings: list[SearchTiming] = []

        def asking(where: Filter) -> Ask:
            async def ask(question: str) -> None:
                query = Query(text=question, filter=where, candidates=_CANDIDATES, rerank=0, limit=_SHOWN)
                timings.append((await recall.run(query)).timing_ms)

            return ask

        kinds = [(None, 1), (ASKED_PROJECT, 1), (None, _MANY), (ASKED_PROJECT, _MANY)]
        each = (len(questions) - _WARM_UP) // len(kinds)
        for question in questions[:_WARM_UP]:
            await asking(Filter())(question)
        timings.clear()
        runs: list[LatencyRun] = []
        stages: dict[str, float] = {}
        for place, (project, in_flight) in enumerate(kinds):
            some = questions[_WARM_UP + place * each : _WARM_UP + (place + 1) * each]
            taken = await self._timed(asking(Filter(project=project)), some, in_flight)
            runs.append(_run("ourcli", project, in_flight, taken))
            stages = stages or {name: fmean([getattr(one, name) for one in timings]) for name in _STAGES}
        return runs, stages

    async def _search_plain(
        self, folder: Path, data: LatencyRows, questions: Sequence[str], vectors: Matrix, truth: Sequence[set[str]]
    ) -> list[LatencyRun]:
        plain = await self._open_plain(folder)
        chunks = data.chunks()
        while (chunk := await to_thread.run_sync(next, chunks, None)) is not None:
            records, rows = chunk
            texts, projects = [one.text for one in records], [one.project for one in records]
            await plain.add([one.id for one in records], texts, projects, rows)
        await plain.index()
        vector_of = dict(zip(questions, vectors, strict=True))
        each = (len(questions) - _WARM_UP) // 4
        runs = []
        for project, in_flight in ((None, 1), (ASKED_PROJECT, 1), (None, _MANY), (ASKED_PROJECT, _MANY)):

            async def ask(question: str, project: str | None = project) -> None:
                await plain.hybrid(vector_of[question], question, project, _CANDIDATES)

            for question in questions[:_WARM_UP]:
                await ask(question)
            runs.append(
                _run("lancedb hybrid", project, in_flight, await self._timed(ask, questions[-each:], in_flight))
            )
        found = [set(await plain.nearest(vector, None, _CANDIDATES)) for vector in vectors[: len(truth)]]
        return [_with_recall(run, _recall(truth, found)) for run in runs]

    async def _compare_all(self, data: LatencyRows, vectors: Matrix) -> LatencyRun:
        """Compare all vectors, held in memory, with a question: what an index has to beat."""
        held = np.concatenate([rows for _, rows in data.chunks()])
        of = dict(enumerate(vectors[:_JUDGED]))

        async def ask(number: str) -> None:
            scores = held @ of[int(number)]
            np.argpartition(-scores, min(_CANDIDATES, len(scores) - 1))[:_CANDIDATES].sort()

        return _with_recall(_run("brute force", None, 1, await self._timed(ask, [str(one) for one in of], 1)), 1.0)

    async def _timed(self, ask: Ask, questions: Sequence[str], in_flight: int) -> list[float]:
        """Return the milliseconds of each question, so many at the same time."""
        waiting, taken = list(questions), []

        async def work() -> None:
            while waiting:
                question = waiting.pop()
                started = self._clock.monotonic_s()
                await ask(question)
                taken.append((self._clock.monotonic_s() - started) * 1_000)

        async with anyio.create_task_group() as tasks:
            for _ in range(in_flight):
                tasks.start_soon(work)
        return taken

    def _progress(self, listen: EventSink, task: str, done: int, total: int) -> None:
        listen.emit(ProgressMade(at=self._clock.now(), task=task, done=done, total=total, unit="records"))


def _run(engine: str, project: str | None, in_flight: int, taken: Sequence[float]) -> LatencyRun:
    ms = {f"p{share}": percentile(taken, share / 100) for share in (50, 95, 99)}
    return LatencyRun(engine=engine, project=project is not None, in_flight=in_flight, ms=ms)


def _with_recall(run: LatencyRun, recall: float) -> LatencyRun:
    one_at_a_time = run.in_flight == 1 and not run.project
    return LatencyRun(
        engine=run.engine,
        project=run.project,
        in_flight=run.in_flight,
        ms=run.ms,
        recall=recall if one_at_a_time else None,
    )


async def _near(store: RecordStore, vector: Vector) -> set[str]:
    """Return the ids of the nearest candidates over all layers."""
    legs = [await store.nearest(layer, vector, Filter(), _CANDIDATES) for layer in Layer]
    scored = sorted(
        ((score, one) for leg in legs for score, one in zip(leg.scores, leg.ids, strict=True)), reverse=True
    )
    return {one for _, one in scored[:_CANDIDATES]}


def _recall(truth: Sequence[set[str]], found: Sequence[set[str]]) -> float:
    return fmean([len(wanted & given) / max(1, len(wanted)) for wanted, given in zip(truth, found, strict=True)])
