"""Moves that wait for a person, on fakes and on the real store."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ourcli.common.errors import NotFoundError
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter
from tests.promises import promise
from tests.support.lifecycle import DAY, World, open_world
from tests.support.records import NOON, axis

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["fake", "real"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path / "db" if request.param == "real" else None) as opened:
        yield opened


@promise("memory.inbox.waits")
async def test_with_an_inbox_nothing_moves_until_it_is_accepted(world: World) -> None:
    lifecycle = world.lifecycle(ask_first=True)
    record = await world.keep("We use SQLite. Then we went home.", tags=("decision",))
    await world.keep("small talk", ts=NOON + timedelta(hours=1))
    before = await world.state()

    applied = await lifecycle.apply(NOON + 2 * DAY)
    unchanged = await world.state()
    first, second = await lifecycle.inbox_list()
    accepted = await lifecycle.inbox_accept([first.id])

    assert unchanged == before
    assert (applied.waiting, applied.entries) == (2, ())
    assert applied.actions == (first.action, second.action)
    assert [one.rule for one in accepted.entries] == ["promote-decision"]
    assert {one.layer for one in await world.store.fetch(Filter(ids=(record.id,)))} == {Layer.INSIGHTS}
    assert [one.id for one in await lifecycle.inbox_list()] == [second.id]
    with pytest.raises(NotFoundError):
        await lifecycle.inbox_accept([first.id])


@promise("memory.inbox.stale")
async def test_a_move_of_a_record_that_changed_is_refused_and_dropped(world: World) -> None:
    lifecycle = world.lifecycle(ask_first=True)
    changed, pinned = await world.keep("small talk"), await world.keep("more small talk")
    await lifecycle.apply(NOON + 2 * DAY)
    await world.store.upsert([replace(changed, tags=("kept",))], axis(1))
    await lifecycle.pin([pinned.id])
    before = await world.state()

    accepted = await lifecycle.inbox_accept([one.id for one in await lifecycle.inbox_list()])

    assert (accepted.entries, len(accepted.skipped)) == ((), 2)
    assert await lifecycle.inbox_list() == ()
    assert await world.state() == before


@promise("memory.inbox.once")
async def test_what_was_rejected_is_not_proposed_again(world: World) -> None:
    lifecycle = world.lifecycle(ask_first=True)
    await world.keep("small talk")
    await lifecycle.apply(NOON + 2 * DAY)
    again = await lifecycle.apply(NOON + 3 * DAY)
    (waiting,) = await lifecycle.inbox_list()

    rejected = await lifecycle.inbox_reject([waiting.id])
    after = await lifecycle.apply(NOON + 4 * DAY)

    assert again.waiting == 1
    assert rejected == (waiting.id,)
    assert (after.waiting, after.actions) == (0, ())
    with pytest.raises(NotFoundError):
        await lifecycle.inbox_reject([waiting.id])
