"""Any sequence of moves, taken back in reverse order, leaves memory as it was before, byte for byte."""

import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from ourcli.common.errors import InvalidInputError
from ourcli.memory.backends.journaled_store import Limits
from ourcli.memory.layers import Layer
from ourcli.memory.lifecycle.service import Lifecycle
from ourcli.memory.query import Filter
from tests.promises import promise
from tests.support.lifecycle import State, World, open_world
from tests.support.records import NOON

RECORDS = 5
Everything = tuple[State, frozenset[str]]

moves = st.one_of(
    st.tuples(st.just("apply"), st.sampled_from([1, 2, 92, 100, 300])),
    st.tuples(st.just("promote"), st.integers(0, RECORDS), st.sampled_from(list(Layer))),
    st.tuples(st.just("demote"), st.integers(0, RECORDS)),
    st.tuples(st.just("pin"), st.integers(0, RECORDS), st.booleans()),
    st.tuples(st.just("back")),
    st.tuples(st.just("again")),
)
"""What can be done: moves by rules and by hand, taking the last one back, doing that again."""


@dataclass(slots=True, kw_only=True)
class Walk:
    """The way there: for each move that holds its entry and what was before it, where somebody looked then."""

    world: World
    lifecycle: Lifecycle
    done: list[tuple[str, Everything | None]] = field(default_factory=list)
    back: list[tuple[str, Everything | None]] = field(default_factory=list)

    async def everything(self) -> Everything:
        return await self.world.state(), await self.world.usage.pinned()

    async def step(self, move: tuple[object, ...]) -> None:
        before = await self.everything()
        known = {one.id for one in await self.lifecycle.history()}
        try:
            await getattr(self, f"_{move[0]}")(*move[1:])
        except InvalidInputError:  # it leads nowhere
            return
        if move[0] not in {"back", "again"}:
            self.back.clear()
            entries = [one for one in reversed(await self.lifecycle.history()) if one.id not in known]
            self.done += [(one.id, before) for one in entries[:1]]
            self.done += [(one.id, None) for one in entries[1:]]

    async def _apply(self, days: int) -> None:
        await self.lifecycle.apply(NOON + timedelta(days=days))

    async def _id(self, place: int) -> str:
        records = sorted(one.id for one in await self.world.store.fetch(Filter()))
        if not records:
            raise InvalidInputError("nothing is left")
        return records[place % len(records)]

    async def _promote(self, place: int, layer: Layer) -> None:
        await self.lifecycle.promote(await self._id(place), layer)

    async def _demote(self, place: int) -> None:
        await self.lifecycle.demote(await self._id(place))

    async def _pin(self, place: int, pinned: bool) -> None:
        await self.lifecycle.pin([await self._id(place)], pinned=pinned)

    async def _back(self) -> None:
        if self.done:
            entry_id, before = self.done.pop()
            undo = await self.lifecycle.undo(entry_id)
            self.back.append((undo.id, before))
            assert before is None or await self.everything() == before

    async def _again(self) -> None:
        if self.back:
            undo_id, before = self.back.pop()
            self.done.append(((await self.lifecycle.undo(undo_id)).id, before))


async def there_and_back(steps: list[tuple[object, ...]], folder: Path | None) -> None:
    async with open_world(folder, Limits(rows=4)) as world:
        for number in range(RECORDS):
            layer = list(Layer)[number % 3]
            tags = ("decision",) if number % 2 == 0 else ()
            await world.keep(f"We chose {number}. The rest is talk.", layer, tags=tags, model=f"m{number}")
        walk = Walk(world=world, lifecycle=world.lifecycle())
        first = await walk.everything()
        for step in steps:
            await walk.step(step)
        while walk.done:
            await walk.step(("back",))
        assert await walk.everything() == first


@promise("memory.undo.exact")
@given(steps=st.lists(moves, max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_sequence_of_moves_taken_back_leaves_what_was_before(steps: list[tuple[object, ...]]) -> None:
    anyio.run(there_and_back, steps, None)


@promise("memory.undo.exact")
@given(steps=st.lists(moves, min_size=3, max_size=8))
@settings(max_examples=4, deadline=None)
def test_any_sequence_of_moves_taken_back_leaves_what_was_before_on_disk(steps: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        anyio.run(there_and_back, steps, Path(folder) / "db")
