"""SIGKILL at random moments of two processes that write, delete and flush one store."""

import random
import subprocess
import sys
from collections import Counter
from contextlib import aclosing
from pathlib import Path

import pytest

from ourcli.memory.backends.journaled_store import open_journaled
from ourcli.memory.query import Filter
from tests.promises import promise
from tests.support.journal_writer import Begun, told

pytestmark = pytest.mark.anyio
NAMES = ("left", "right")


@promise("memory.journal.killed")
async def test_two_killed_processes_lose_and_double_nothing(tmp_path: Path) -> None:
    await kill_again_and_again(tmp_path / "db", rounds=2)


@pytest.mark.slow
@pytest.mark.timeout(3_600)
async def test_two_killed_processes_lose_and_double_nothing_in_two_hundred_rounds(tmp_path: Path) -> None:
    await kill_again_and_again(tmp_path / "db", rounds=200)


async def kill_again_and_again(folder: Path, *, rounds: int) -> None:
    chance = random.Random(3)
    before: dict[str, str] = {}
    for round_ in range(rounds):
        said = write_until_killed(folder, chance, f"{round_}")
        async with aclosing(await open_journaled(folder)) as store:
            records = await store.fetch(Filter())
            stats = await store.stats()
        there: dict[str, str] = {record.id: record.text for record in records}
        assert len(there) == len(records) == sum(one.rows for one in stats.values())
        for name in NAMES:
            assert_acknowledged(name, before, said[name], there)
        before = dict(there)


def write_until_killed(folder: Path, chance: random.Random, seed: str) -> dict[str, list[Begun]]:
    """Start both processes; kill both once one has acknowledged some changes; return what each said."""
    command = [sys.executable, "-m", "tests.support.journal_writer", str(folder)]
    writers = {
        name: subprocess.Popen([*command, name, seed], stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
        for name in NAMES
    }
    lines: dict[str, list[str]] = {name: [] for name in NAMES}
    patience = chance.randrange(2, 40)
    watched = chance.choice(NAMES)
    while Counter(lines[watched])["done\n"] < patience:
        stream = writers[watched].stdout
        assert stream is not None
        lines[watched].append(stream.readline())
        assert lines[watched][-1], "the writer ended by itself"
    for writer in writers.values():
        writer.kill()
    for name, writer in writers.items():
        assert writer.stdout is not None
        with writer:
            lines[name] += writer.stdout.readlines()
    return {name: told(said) for name, said in lines.items()}


def assert_acknowledged(name: str, before: dict[str, str], begun: list[Begun], there: dict[str, str]) -> None:
    """Each record is as its last acknowledged change left it, or as the one change in flight meant it."""
    expected: dict[str, str | None] = {key: text for key, text in before.items() if key.startswith(name)}
    possible: dict[str, set[str | None]] = {}
    for change in begun:
        if change.acknowledged:
            expected[change.id] = change.text
        else:
            possible[change.id] = {change.text}
    mine = {key: text for key, text in there.items() if key.startswith(name)}
    for key in expected.keys() | mine.keys() | possible.keys():
        assert mine.get(key) in possible.get(key, set()) | {expected.get(key)}, key
