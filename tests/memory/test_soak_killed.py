"""SIGKILL at random moments of three processes that add, move, forget, search, flush and compact one store."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import IO

import pytest

from ourcli.common.ids import RecordId
from ourcli.memory.backends.journaled_store import JournaledStore, open_journaled
from ourcli.memory.backends.sqlite_ledger import SqliteLedger
from ourcli.memory.layers import Layer
from tests.promises import promise
from tests.support.deeds import Deed, State, assert_found, found_in
from tests.support.records import a_record, axis
from tests.support.soak_writer import SHARED

pytestmark = pytest.mark.anyio
NAMES = ("left", "middle", "right")


@promise("memory.soak.killed")
async def test_three_killed_processes_lose_double_and_halve_nothing(tmp_path: Path) -> None:
    await kill_again_and_again(tmp_path / "db", rounds=1)


@pytest.mark.slow
@pytest.mark.timeout(7_200)
async def test_three_killed_processes_lose_double_and_halve_nothing_in_two_hundred_rounds(tmp_path: Path) -> None:
    await kill_again_and_again(tmp_path / "db", rounds=200)


async def kill_again_and_again(folder: Path, *, rounds: int) -> None:
    chance = random.Random(3)
    async with aclosing(await open_journaled(folder)) as store:
        shared = [a_record(name.replace("-", "x"), id=RecordId(name)) for name in SHARED]
        await store.upsert(shared, axis(0, 0))
    state = State()
    for round_ in range(rounds):
        said = write_until_killed(folder, chance, f"{round_}", state)
        async with aclosing(await open_journaled(folder)) as store:
            found = await found_in(store)
            await assert_found(store, found, {text for text, _ in found.records.values()})
            await assert_moves_follow_each_other(store, found)
        for name in NAMES:
            assert_acknowledged(state.of(name), said[name], found.of(name))
        assert {key for key in found.records if key.startswith("shared-")} == set(SHARED)
        state = found


def write_until_killed(folder: Path, chance: random.Random, seed: str, state: State) -> dict[str, list[str]]:
    """Start the processes; kill one of them in the middle of it and the others later; return what each said."""
    said: dict[str, list[str]] = {name: [] for name in NAMES}
    with started(folder, seed, state) as (processes, streams):
        victim, watched, other = chance.sample(NAMES, 3)
        wait_for(streams[watched], said[watched], chance.randrange(2, 20))
        processes[victim].kill()
        watched = chance.choice([watched, other])
        wait_for(streams[watched], said[watched], chance.randrange(2, 20))
        for process in processes.values():
            process.kill()
        for name in NAMES:
            said[name] += streams[name].readlines()
    return said


@contextmanager
def started(
    folder: Path, seed: str, state: State
) -> Iterator[tuple[dict[str, subprocess.Popen[str]], dict[str, IO[str]]]]:
    processes = {}
    for name in NAMES:
        known = json.dumps(state.of(name).records)
        command = [sys.executable, "-m", "tests.support.soak_writer", str(folder), name, seed, known]
        processes[name] = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
    try:
        yield processes, {name: one.stdout for name, one in processes.items() if one.stdout}
    finally:
        for process in processes.values():
            process.kill()
            process.communicate()


def wait_for(stream: IO[str], said: list[str], acknowledged: int) -> None:
    while acknowledged:
        said.append(stream.readline())
        assert said[-1], "the writer ended by itself"
        acknowledged -= said[-1] == "done\n"


def assert_acknowledged(before: State, said: list[str], found: State) -> None:
    """Memory is what the last acknowledged deed made of it, or what the one in flight meant."""
    expected, in_flight = before, None
    for line in said:
        if line == "done\n" and in_flight is not None:
            expected, in_flight = expected.after(in_flight), None
        elif line.endswith("}\n"):
            in_flight = Deed.read(line)
    assert found in (expected, expected if in_flight is None else expected.after(in_flight))


async def assert_moves_follow_each_other(store: JournaledStore, found: State) -> None:
    """Every move of a shared record began where the one before it ended, and the last is where the record is."""
    ledger = SqliteLedger(store.database)
    for record_id in SHARED:
        at: str | None = Layer.INSIGHTS.value
        for entry in await ledger.of_records([record_id]):
            was, at = at, entry.layers[record_id][1]
            assert entry.layers[record_id][0] == was
        assert found.records[record_id][1].value == at
