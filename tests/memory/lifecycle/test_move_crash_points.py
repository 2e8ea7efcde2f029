"""Cut off at any statement of a move's transaction, every record is there exactly once and the ledger agrees."""

import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from ourcli.memory.backends.journaled_store import JournaledStore
from ourcli.memory.layers import Layer
from ourcli.memory.lifecycle.service import Lifecycle
from ourcli.memory.query import Filter
from tests.promises import promise
from tests.support.lifecycle import DAY, State, World, open_world
from tests.support.records import NOON

pytestmark = pytest.mark.anyio


class Photographer:
    """Copies the store's folder before each statement of its writing connection: what a kill there would leave."""

    def __init__(self, folder: Path, into: Path) -> None:
        self._folder, self._into = folder, into
        self.copies: list[Path] = []

    def __call__(self, statement: str) -> None:
        copy = self._into / str(len(self.copies))
        shutil.copytree(self._folder, copy)
        self.copies.append(copy)


async def promoted(world: World, lifecycle: Lifecycle) -> None:
    await world.keep("We use SQLite. And more.", tags=("decision",))
    await lifecycle.apply(NOON + 2 * DAY)


async def summed_up(world: World, lifecycle: Lifecycle) -> None:
    await world.keep("Tea is green. Yes.", Layer.INSIGHTS)
    await world.keep("Coffee is black. No.", Layer.INSIGHTS)
    await lifecycle.apply(NOON + 100 * DAY)


async def expired(world: World, lifecycle: Lifecycle) -> None:
    await world.keep("small talk")
    await lifecycle.apply(NOON + 2 * DAY)


MOVES = [promoted, summed_up, expired]


@pytest.mark.parametrize("move", MOVES, ids=lambda move: str(move.__name__))
@promise("memory.lifecycle.killed")
async def test_a_move_that_was_cut_off_happened_whole_or_not_at_all(
    move: Callable[[World, Lifecycle], Awaitable[None]], tmp_path: Path
) -> None:
    photographer = Photographer(tmp_path / "db", tmp_path / "copies")
    async with open_world(tmp_path / "db") as world:
        lifecycle = world.lifecycle()
        await move(world, lifecycle)
        after = await world.state()
        (entry,) = await lifecycle.history()
        assert isinstance(world.store, JournaledStore)
        with world.store.database.writing() as connection:
            writer: sqlite3.Connection = connection
        writer.set_trace_callback(photographer)
        await lifecycle.undo(entry.id)
        writer.set_trace_callback(None)
        photographer("it is done")
        before = await world.state()

    seen: list[State] = []
    for copy in photographer.copies:
        async with open_world(copy) as world:
            seen.append(await world.state())
            undone = len(await world.lifecycle().history()) == 2
            records = await world.store.fetch(Filter())
            stats = await world.store.stats()
        assert seen[-1] == (before if undone else after)
        assert len(records) == len({one.id for one in records}) == sum(one.rows for one in stats.values())
    assert len(seen) > 5
    assert (seen[0], seen[-1]) == (after, before)
