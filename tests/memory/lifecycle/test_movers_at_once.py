"""Several processes that move the same records, and processes that are killed while they do."""

import subprocess
import sys
from pathlib import Path

import pytest

from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter
from tests.promises import promise
from tests.support.lifecycle import DAY, World, open_world
from tests.support.records import NOON

pytestmark = pytest.mark.anyio
RECORDS = 30


def start(folder: Path, what: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.support.mover_process", str(folder), what]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, cwd=Path.cwd()
    )


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the process ended by itself"
    return line.rstrip("\n")


async def fill(world: World) -> set[str]:
    ids: set[str] = set()
    for number in range(RECORDS):
        layer = Layer.INSIGHTS if number % 3 == 0 else Layer.INTERACT
        tags = ("decision",) if number % 3 == 1 else ()
        ids.add((await world.keep(f"Text number {number}. It goes on.", layer, tags=tags)).id)
    return ids


@promise("memory.lifecycle.two-processes")
async def test_two_processes_that_apply_the_rules_at_once_do_each_effect_once(tmp_path: Path) -> None:
    async with open_world(tmp_path / "db") as world:
        await fill(world)
        due = await world.lifecycle().simulate(NOON + 2 * DAY)
    both = [start(tmp_path / "db", "apply") for _ in range(2)]
    for process in both:
        assert said(process) == "ready"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
    done = 0
    for process in both:
        done += int(said(process).split()[0])
        process.communicate()
        assert process.returncode == 0

    async with open_world(tmp_path / "db") as world:
        entries = await world.lifecycle().history()
        left = await world.store.fetch(Filter())
    touched = [record_id for entry in entries for record_id in entry.touched]
    assert done == len(due) == len(entries)
    assert sorted(touched) == sorted(record_id for action in due for record_id in action.record_ids)
    assert len(left) == len({one.id for one in left}) == RECORDS - sum(one.verb == "expire" for one in entries)


@promise("memory.lifecycle.killed")
async def test_killed_movers_leave_every_record_exactly_once(tmp_path: Path) -> None:
    await move_and_kill(tmp_path / "db", rounds=2)


@pytest.mark.slow
@pytest.mark.timeout(3_600)
async def test_killed_movers_leave_every_record_exactly_once_in_two_hundred_rounds(tmp_path: Path) -> None:
    await move_and_kill(tmp_path / "db", rounds=200)


async def move_and_kill(folder: Path, *, rounds: int) -> None:
    async with open_world(folder) as world:
        ids = await fill(world)
    for round_ in range(rounds):
        both = [start(folder, f"{round_}-{name}") for name in ("left", "right")]
        for moves in (3, 5 + round_ % 7):
            for _ in range(moves):
                said(both[0])
            said(both[1])
        for process in both:
            process.kill()
        for process in both:
            process.communicate()
        async with open_world(folder) as world:
            await assert_as_the_ledger_tells(world, ids)


async def assert_as_the_ledger_tells(world: World, ids: set[str]) -> None:
    """Each record is where the last move that touched it left it, and nowhere else."""
    expected: dict[str, str | None] = dict.fromkeys(ids, "untouched")
    for entry in reversed(await world.lifecycle().history()):
        expected |= {record_id: became for record_id, (_, became) in entry.layers.items()}
    records = await world.store.fetch(Filter())
    stats = await world.store.stats()
    there: dict[str, str] = {one.id: one.layer.value for one in records}
    assert len(records) == len(there) == sum(one.rows for one in stats.values())
    assert there.keys() == {record_id for record_id, layer in expected.items() if layer is not None}
    assert all(expected[record_id] in ("untouched", layer) for record_id, layer in there.items())
