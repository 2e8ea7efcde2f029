"""Memory that moves to another home, and recall that is measured."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ourcli.app.lifetime import open_service
from ourcli.app.requests import AskRequest, NewRecord
from ourcli.memory.query import Filter, Query
from ourcli.memory.record import Record
from tests.promises import promise
from tests.support.process import CommandLine

Line = dict[str, object]
pytestmark = pytest.mark.anyio
METRICS = {"recall@5", "recall@10", "recall@20", "recall@50", "ndcg@10", "mrr@10", "session_recall@10"}
THINGS = ("honey", "granite", "violin", "harbour", "telescope", "cactus", "bicycle", "volcano", "umbrella", "chess")


@promise("memory.transfer.end-to-end")
async def test_a_memory_moves_to_another_home_without_being_embedded_again(
    ourcli: CommandLine, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ourcli.folder / "notes.md").write_text("# Deploys\n\nDeploys happen on Thursdays.\n")
    async with open_service() as service:
        await service.add([NewRecord(text="the cache lives 15 minutes", tags=("decision", "cache"), ts="2026-01-02")])
        await service.ingest([ourcli.folder / "notes.md"], None)
        await service.ask(AskRequest(text="how long does the cache live?", model=str(tiny)))
        before = await service.records(Filter(), None)
    other = ourcli.at(tmp_path / "other")

    exported = ourcli.run("memory", "export", "memory.jsonl", "--json")
    imported = other.run("memory", "import", "memory.jsonl", "--json")

    assert (exported.document["exported"], imported.document["imported"]) == (4, 4)
    assert embedded(other.home) == 0
    monkeypatch.setenv("OURCLI_HOME", str(other.home))
    async with open_service() as service:
        assert by_id(await service.records(Filter(), None)) == by_id(before)
        found = await service.search(Query(text="when are deploys?"))
    assert "Thursdays" in found.hits[0].record.text
    assert any(record.parents for record in before)


def by_id(records: list[Record]) -> dict[str, Record]:
    return {record.id: record for record in records}


def embedded(home: Path) -> int:
    """Return how many texts were ever embedded with a home; each of them is in its cache."""
    with closing(sqlite3.connect(home / "cache" / "embeddings.sqlite")) as cache:
        (count,) = cache.execute("SELECT count(*) FROM vectors").fetchone()
    return int(count)


@promise("cli.bench.end-to-end")
async def test_recall_is_measured_on_given_data(ourcli: CommandLine) -> None:
    corpus: list[Line] = [
        {
            "id": f"{scope}-{thing}",
            "text": f"The {thing} of {scope}.",
            "scope": scope,
            "session": place % 2,
            "turn": place,
        }
        for scope in ("Anna", "Ben")
        for place, thing in enumerate(THINGS)
    ]
    queries: list[Line] = [
        {"id": one["id"], "query": str(one["text"])[:-1] + "?", "scope": one["scope"], "relevant": {one["id"]: 1}}
        | {"category": "things"}
        for one in corpus
    ]
    write_lines(ourcli.folder / "corpus.jsonl", corpus)
    write_lines(ourcli.folder / "queries.jsonl", queries)

    ran = ourcli.run("bench", "retrieval", "--corpus", "corpus.jsonl", "--queries", "queries.jsonl", "--json")

    report = ran.document
    assert ran.code == 0
    assert set(report["metrics"]) == METRICS
    assert report["metrics"] == dict.fromkeys(METRICS, pytest.approx(1.0))
    assert report["by_category"] == {"things": report["metrics"]}
    assert {"p50", "p95", "p99"} <= set(report["latency_ms"])
    assert 0 < report["latency_ms"]["p50"] <= report["latency_ms"]["p95"] <= report["latency_ms"]["p99"]
    assert (report["records"], report["queries"]) == (20, 20)
    assert not (ourcli.home / "lancedb").exists()


def write_lines(path: Path, lines: list[Line]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
