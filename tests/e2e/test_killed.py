"""SIGKILL at random moments: what was acknowledged is there, and the next run goes on."""

import json
import random
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import lancedb
import pytest

from ourcli.app.lifetime import open_service
from ourcli.app.memory.stores import open_store
from ourcli.app.requests import NewRecord
from ourcli.app.service import Service
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter, Query
from tests.promises import promise
from tests.support.process import CommandLine

pytestmark = pytest.mark.anyio
RECORDS = 6_000
FILES = 26
ROUNDS = 3


@promise("memory.killed.add-lines")
async def test_what_was_acknowledged_survives_a_kill(ourcli: CommandLine) -> None:
    chance = random.Random(7)
    acknowledged: set[str] = set()
    lines = write_records(ourcli.folder / "many.jsonl")

    for _ in range(ROUNDS):
        killed = add_and_kill(ourcli, lines, after=chance.randrange(1, 2_000), then_s=chance.uniform(0, 0.5))
        acknowledged |= killed
        assert len(killed) < RECORDS

    async with open_service() as service:
        there = [record.id for record in await service.records(Filter(), None)]
        assert acknowledged <= set(there)
        assert len(there) == len(set(there))
        assert await findable(service, "fact")
        again = await service.get(next(iter(acknowledged)))
    assert again.text.startswith("fact number")


@promise("memory.killed.ingest")
async def test_a_killed_ingestion_is_completed_by_the_next(
    ourcli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(11)
    write_project(ourcli.folder / "docs")

    kill_at_the_start(ourcli, chance.uniform(1, 3))
    ingest_and_kill(ourcli, then_s=chance.uniform(0, 0.3))
    async with open_service() as service:
        rest = await service.ingest([ourcli.folder / "docs"], None)
        mended = await shelf(service)
        assert (await service.ingest([ourcli.folder / "docs"], None)).chunks == 0
    monkeypatch.setenv("OURCLI_HOME", str(tmp_path / "other"))
    async with open_service() as service:
        await service.ingest([ourcli.folder / "docs"], None)
        uninterrupted = await shelf(service)

    assert 0 < rest.chunks < len(mended)
    assert mended == uninterrupted


@promise("memory.killed.create")
@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("left", ["no facts", "half a table", "no index"])
async def test_a_memory_whose_creation_was_killed_is_completed(home: Path, left: str) -> None:
    await open_store(home / "lancedb")
    shutil.rmtree(home / "lancedb" / "facts.lance")
    if left == "half a table":
        shutil.rmtree(home / "lancedb" / "assets.lance")
        (home / "lancedb" / "assets.lance" / "data").mkdir(parents=True)
    if left == "no index":
        database = await lancedb.connect_async(home / "lancedb")
        await (await database.open_table("assets")).drop_index("indexed_idx")

    async with open_service() as service:
        await service.add([NewRecord(text=f"a fact of {layer.value}", layer=layer) for layer in Layer])
        found = await service.search(Query(text="fact"))
        stats = await service.memory_stats()

    assert len(found.hits) == 3
    assert {layer: size.rows for layer, size in stats.items()} == dict.fromkeys(Layer, 1)
    database = await lancedb.connect_async(home / "lancedb")
    for layer in Layer:
        assert len(list(await (await database.open_table(layer)).list_indices())) == 1


def write_records(path: Path) -> Path:
    vector = [1.0] + [0.0] * 383
    path.write_text(
        "".join(json.dumps({"text": f"fact number {place}", "embedding": vector}) + "\n" for place in range(RECORDS))
    )
    return path


def add_and_kill(ourcli: CommandLine, lines: Path, *, after: int, then_s: float) -> set[str]:
    """Kill an import a moment after it acknowledged so many records; return the ids that it had acknowledged."""
    with ourcli.start("memory", "add", "--jsonl", str(lines)) as process:
        assert process.stdout is not None
        seen = [process.stdout.readline() for _ in range(after)]
        kill(process, then_s)
        seen += process.stdout.readlines()
    return {line.strip() for line in seen if line.endswith("\n")}


def write_project(folder: Path) -> None:
    """Write files of several pieces each, more than one write's worth of them."""
    folder.mkdir()
    for place in range(FILES):
        points = [f"\n## Point {point}\n\n" + f"Point {point} of part {place}. " * 25 for point in range(6)]
        (folder / f"part-{place:02}.md").write_text(f"# Part {place}\n" + "\n".join(points))


def kill_at_the_start(ourcli: CommandLine, then_s: float) -> None:
    """Kill an ingestion while it loads its parts or makes the tables."""
    with ourcli.start("ingest", "docs") as process:
        kill(process, then_s)


def ingest_and_kill(ourcli: CommandLine, *, then_s: float) -> None:
    """Kill an ingestion a moment after it began to write."""
    journal = ourcli.home / "lancedb" / "journal.sqlite"
    before = acknowledged_changes(journal)
    with ourcli.start("ingest", "docs") as process:
        while process.poll() is None and acknowledged_changes(journal) == before:
            ended_within(process, 0.01)
        kill(process, then_s)


def acknowledged_changes(journal: Path) -> int:
    """Return how many changes a journal ever took; none when it is not made yet."""
    if not journal.exists():
        return 0
    with closing(sqlite3.connect(journal)) as connection:
        try:
            found = connection.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence").fetchone()
        except sqlite3.OperationalError:
            return 0
    return int(found[0])


def kill(process: "subprocess.Popen[str]", then_s: float) -> None:
    ended_within(process, then_s)
    process.kill()


def ended_within(process: "subprocess.Popen[str]", seconds: float) -> bool:
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


async def findable(service: Service, text: str) -> bool:
    return bool((await service.search(Query(text=text))).hits)


async def shelf(service: Service) -> list[tuple[str, tuple[int, int] | None, str, str]]:
    records = await service.records(Filter(layers=(Layer.ASSETS,)), None)
    assert all(record.source for record in records)
    return sorted(
        (record.source.uri, record.source.lines, record.source.sha256, record.text)
        for record in records
        if record.source
    )
