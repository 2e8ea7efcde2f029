"""What single acknowledged writes cost, and what they do to search.

    python -m benchmarks.single_writes [--writes 10000] [--start 10000] [--folder DISK] [--json]

A store is filled with `--start` records and compacted. Then one record at a time is written with a given vector; each
write is timed until it is acknowledged (fsynced). Search is timed before and after, without embedding: vectors and
words over one layer, 10 candidates each. Vectors and words are random, from a fixed seed.

Goals: p50 at most 5 ms, p99 at most 50 ms; at most 64 fragments at any time; search p95 at most 1.5 times what it was.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from os import fsync
from pathlib import Path

import anyio
import numpy as np
from anyio import to_thread

from benchmarks.report import Row, show
from ourcli.common.ids import RecordId, new_id
from ourcli.memory.backends.journaled_store import JournaledStore, open_journaled
from ourcli.memory.layers import Layer
from ourcli.memory.ports import RecordStore
from ourcli.memory.query import Filter
from ourcli.memory.record import DIMS, Record
from ourcli.memory.vectors import Matrix

SEARCHES = 60
GOALS = {"write p50 ms": 5.0, "write p99 ms": 50.0, "most fragments": 64.0, "search p95, of before": 1.5}
WORDS = [f"{first}{second}" for first in ("cache", "queue", "table", "index", "store") for second in range(200)]


def records(count: int, chance: np.random.Generator) -> list[Record]:
    now = datetime.now(UTC)
    texts = [" ".join(chance.choice(WORDS, 20)) for _ in range(count)]
    return [Record(id=RecordId(new_id(now)), text=text, layer=Layer.INSIGHTS, ts=now) for text in texts]


def vectors(count: int, chance: np.random.Generator) -> Matrix:
    drawn = chance.standard_normal((count, DIMS), dtype=np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)


async def search_ms(store: RecordStore, chance: np.random.Generator) -> list[float]:
    taken = []
    for vector in vectors(SEARCHES, chance):
        words = " ".join(chance.choice(WORDS, 3))
        started = time.perf_counter()
        await store.nearest(Layer.INSIGHTS, vector, Filter(), 10)
        await store.matching(Layer.INSIGHTS, words, Filter(), 10)
        taken.append((time.perf_counter() - started) * 1_000)
    return taken


async def write_ms(store: JournaledStore, count: int, chance: np.random.Generator) -> tuple[list[float], int]:
    """Return the milliseconds of each write, and the most fragments that the table had on the way."""
    taken, most = [], 0
    for place, (record, vector) in enumerate(zip(records(count, chance), vectors(count, chance), strict=True)):
        started = time.perf_counter()
        await store.upsert([record], vector[np.newaxis])
        taken.append((time.perf_counter() - started) * 1_000)
        if place % 20 == 0:
            most = max(most, (await store.stats())[Layer.INSIGHTS].fragments)
    return taken, most


async def measure(folder: Path, *, start: int, writes: int) -> list[Row]:
    chance = np.random.default_rng(7)
    async with aclosing(await open_journaled(folder)) as store:
        await store.upsert(records(start, chance), vectors(start, chance))
        await store.optimize()
        await search_ms(store, chance)
        before = p(95, await search_ms(store, chance))
        taken, most = await write_ms(store, writes, chance)
        after = p(95, await search_ms(store, chance))
        started = time.perf_counter()
        await store.flush()
        flush = (time.perf_counter() - started) * 1_000
        flushed = p(95, await search_ms(store, chance))
    found = {
        "write p50 ms": p(50, taken),
        "write p99 ms": p(99, taken),
        "write max ms": max(taken),
        "most fragments": float(most),
        "search p95 ms before": before,
        "search p95 ms after": after,
        "search p95 ms flushed": flushed,
        "search p95, of before": after / before,
        "last flush ms": flush,
        "bare fsynced append p50 ms": p(50, await to_thread.run_sync(bare_ms, folder / "bare", writes)),
    }
    return [
        {"what": what, "found": value, "goal": goal, "reached": None if goal is None else value <= goal}
        for what, value in found.items()
        for goal in [GOALS.get(what)]
    ]


def bare_ms(path: Path, count: int) -> list[float]:
    """Time an append and fsync of the same size, without a database."""
    taken = []
    with path.open("wb", buffering=0) as file:
        for _ in range(min(count, 300)):
            started = time.perf_counter()
            file.write(bytes(DIMS * 4 + 400))
            fsync(file.fileno())
            taken.append((time.perf_counter() - started) * 1_000)
    return taken


def p(percent: int, values: Sequence[float]) -> float:
    return float(np.percentile(values, percent))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--writes", type=int, default=10_000, help="single writes")
    parser.add_argument("--start", type=int, default=10_000, help="records that are there before")
    parser.add_argument("--folder", type=Path, help="disk to measure on (default: where temporary files lie)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:

        async def run() -> list[Row]:
            return await measure(Path(folder) / "db", start=given.start, writes=given.writes)

        rows = anyio.run(run)
    show(rows, about=f"{given.writes} single writes onto {given.start} records", as_json=given.json)


if __name__ == "__main__":
    main()
