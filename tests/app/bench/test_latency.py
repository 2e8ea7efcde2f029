"""`bench latency`: what is measured is what is said, on rows that are the same every time."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from ourcli.app.bench.grown_texts import Grower, documentation, texts_of
from ourcli.app.bench.latency import LatencyBench
from ourcli.app.bench.latency_rows import LatencyRows
from ourcli.app.memory.stores import open_plain_lance, open_store
from ourcli.common.clock import SystemClock
from ourcli.common.errors import InvalidInputError
from ourcli.common.events import NullSink
from ourcli.memory.layers import Layer
from ourcli.memory.ports import RecordStore
from ourcli.memory.record import DIMS
from ourcli.memory.vectors import Matrix, Vector
from tests.promises import promise
from tests.support.records import NOON

pytestmark = pytest.mark.anyio


class WordVectors:
    """Embeds by words: texts that share words are near."""

    digest = "words"

    async def embed_query(self, text: str) -> Vector:
        return one(text)

    async def embed_passages(self, texts: Sequence[str]) -> Matrix:
        return np.stack([one(text) for text in texts])


def one(text: str) -> Vector:
    total = np.sum([np.random.default_rng(list(word.encode())).standard_normal(DIMS) for word in text.split()], axis=0)
    return np.asarray(total / np.linalg.norm(total), dtype=np.float32)


def corpus(folder: Path, count: int) -> Path:
    words = ["cache", "queue", "table", "index", "store", "search", "vector", "memory", "layer", "record"]
    lines = [
        f'{{"text": "{words[n % 10]} {words[n // 10 % 10]} number {n} {words[n // 3 % 10]}"}}' for n in range(count)
    ]
    (folder / "texts.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder / "texts.jsonl"


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[RecordStore]:
    async with aclosing(await open_store(folder)) as store:
        yield store


@promise("memory.bench.latency")
async def test_the_report_tells_of_each_engine_and_filter_on_the_same_rows(tmp_path: Path) -> None:
    bench = LatencyBench(opened, open_plain_lance, WordVectors(), clock=SystemClock(), resident_bytes=lambda: 7)
    report = await bench.run(600, corpus(tmp_path, 200), searches=4, listen=NullSink())
    kinds = [(run.engine, run.project, run.in_flight) for run in report.runs]
    ours = [(False, 1), (True, 1), (False, 8), (True, 8)]
    expected = [(engine, *kind) for engine in ("ourcli", "lancedb hybrid") for kind in ours]
    assert kinds == [*expected, ("brute force", False, 1)]
    assert report.layers == {"assets": 540, "insights": 54, "interact": 6}
    assert (report.rows, report.real_texts, report.rss_bytes) == (600, 179, 7)
    assert "texts.jsonl" in report.source
    assert report.runs[0].recall == report.runs[-1].recall == pytest.approx(1.0)
    assert all(run.ms["p50"] <= run.ms["p95"] <= run.ms["p99"] for run in report.runs)


async def test_a_corpus_with_too_few_texts_is_refused(tmp_path: Path) -> None:
    bench = LatencyBench(opened, open_plain_lance, WordVectors(), clock=SystemClock(), resident_bytes=lambda: 0)
    with pytest.raises(InvalidInputError, match="too few"):
        await bench.run(600, corpus(tmp_path, 20), searches=4, listen=NullSink())


def test_a_line_without_a_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text('{"text": "fine"}\n{"id": "no text"}\n')
    with pytest.raises(InvalidInputError, match=r"c.jsonl', line 2"):
        texts_of(tmp_path / "c.jsonl", 10)


def test_the_documentation_of_this_python_is_real_text() -> None:
    found = documentation(50)
    assert len(set(found)) == 50
    assert all(len(text) >= 40 for text in found)


def test_rows_are_the_same_every_time_and_grown_ones_have_neighbours_as_near_as_real_ones() -> None:
    texts = [f"cache number {n % 40} in layer {n % 7}" for n in range(400)]
    scattered = np.stack([one(text) for text in texts]) + 0.01 * np.random.default_rng(1).standard_normal((400, DIMS))
    vectors: Matrix = np.asarray(scattered / np.linalg.norm(scattered, axis=1, keepdims=True), dtype=np.float32)
    grower = Grower.fitted(texts, vectors)
    rows = LatencyRows(count=1_000, grower=grower, now=NOON)
    first, again = next(rows.chunks()), next(rows.chunks())
    assert first[0] == again[0]
    assert (first[1] == again[1]).all()
    assert (first[1][:400] == vectors).all()
    assert np.linalg.norm(first[1], axis=1) == pytest.approx(np.ones(1_000), abs=1e-5)
    grown = first[1][400:]
    assert abs(float(np.median((grown @ vectors.T).max(axis=1))) - 0.95) < 0.1
    assert {record.layer for record in first[0]} == set(Layer)
    truth = rows.nearest(vectors[:3], 5)
    assert [record.id for record in first[0][:3]] == [first[0][n].id for n in range(3) if first[0][n].id in truth[n]]
