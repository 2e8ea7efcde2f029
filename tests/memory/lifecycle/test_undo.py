"""Moves are taken back exactly, on fakes and on the real store, or it is said what stands in the way."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from ourcli.common.errors import InvalidInputError
from ourcli.common.events import MoveUndone
from ourcli.memory.backends.journaled_store import Limits
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Verb
from ourcli.memory.policy.reading import validate_rules
from ourcli.memory.query import Filter
from ourcli.memory.record import Source, Trust
from tests.promises import promise
from tests.support.lifecycle import DAY, World, open_world
from tests.support.records import NOON, axis

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["fake", "real", "flushed"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    limits = Limits(rows=0) if request.param == "flushed" else None
    async with open_world(None if request.param == "fake" else tmp_path / "db", limits) as opened:
        yield opened


@promise("memory.undo.too-old")
async def test_a_move_that_is_too_old_is_not_undone(world: World) -> None:
    lifecycle = world.lifecycle(undo_days=30)
    record = await world.keep("We use SQLite.")
    entry = await lifecycle.promote(record.id, Layer.INSIGHTS)
    world.clock.advance(30 * DAY + timedelta(microseconds=1))

    with pytest.raises(InvalidInputError, match="older than 30 days") as refused:
        await lifecycle.undo(entry.id)

    assert "memory.undo_days" in refused.value.hint


async def test_the_days_of_undo_count_from_when_it_was_done_not_from_the_moment_asked_about(world: World) -> None:
    lifecycle = world.lifecycle(undo_days=30)
    await world.keep("small talk", ts=NOON - 60 * DAY)
    before = await world.state()
    applied = await lifecycle.apply(NOON - 40 * DAY)

    trimmed = await lifecycle.trim()
    await lifecycle.undo(applied.entries[0].id)

    assert trimmed == 0
    assert await world.state() == before


async def test_a_move_whose_images_were_trimmed_is_not_undone(world: World) -> None:
    record = await world.keep("We use SQLite.")
    entry = await world.lifecycle().promote(record.id, Layer.INSIGHTS)
    await world.ledger.trim(NOON + DAY)

    with pytest.raises(InvalidInputError, match="no images"):
        await world.lifecycle().undo(entry.id)


async def test_a_move_is_undone_once(world: World) -> None:
    lifecycle = world.lifecycle()
    record = await world.keep("We use SQLite.")
    entry = await lifecycle.promote(record.id, Layer.INSIGHTS)
    undo = await lifecycle.undo(entry.id)

    with pytest.raises(InvalidInputError, match="undone already") as refused:
        await lifecycle.undo(entry.id)

    assert undo.id in refused.value.hint


@promise("memory.undo.depends")
async def test_later_moves_that_hold_are_named_and_stop_an_undo(world: World) -> None:
    lifecycle = world.lifecycle()
    record = await world.keep("We use SQLite.")
    first = await lifecycle.promote(record.id, Layer.INSIGHTS)
    second = await lifecycle.demote(record.id)
    third = await lifecycle.promote(record.id, Layer.INTERACT)
    undone = await lifecycle.undo(third.id)
    again = await lifecycle.undo(undone.id)

    with pytest.raises(InvalidInputError, match="later moves depend") as refused:
        await lifecycle.undo(first.id)

    assert second.id in refused.value.message
    assert again.id in refused.value.message
    assert third.id not in refused.value.message
    assert again.id in refused.value.hint


@promise("memory.undo.depends")
async def test_a_later_change_by_the_user_stops_an_undo_and_is_named(world: World) -> None:
    lifecycle = world.lifecycle()
    changed, forgotten = await world.keep("first"), await world.keep("second")
    of_changed = await lifecycle.promote(changed.id, Layer.INSIGHTS)
    of_forgotten = await lifecycle.promote(forgotten.id, Layer.INSIGHTS)
    await world.store.upsert([replace(changed, text="said anew")], axis(1))
    await world.store.delete([forgotten.id])
    before = await world.state()

    for entry in (of_changed, of_forgotten):
        with pytest.raises(InvalidInputError, match="changed or forgotten") as refused:
            await lifecycle.undo(entry.id)
        assert entry.touched[0] in refused.value.message

    assert await world.state() == before


async def test_a_changed_vector_alone_stops_an_undo(world: World) -> None:
    lifecycle = world.lifecycle()
    record = await world.keep("We use SQLite.")
    entry = await lifecycle.promote(record.id, Layer.INSIGHTS)
    await world.store.upsert([replace(record, layer=Layer.INSIGHTS)], np.nextafter(axis(1), 2, dtype=np.float32))

    with pytest.raises(InvalidInputError, match="changed"):
        await lifecycle.undo(entry.id)


@promise("memory.undo.exact")
async def test_every_field_and_the_vector_come_back_byte_for_byte(world: World) -> None:
    lifecycle = world.lifecycle()
    odd = np.zeros((1, 384), dtype=np.float32)
    odd[0, 3], odd[0, 7], odd[0, 9] = 0.1, np.float32(1e-40), -0.0
    record = await world.keep(
        "emoji 🎉, عربي, NUL \x00. And 'more'",
        tags=("decision", "a'b"),
        source=Source(uri="/notes/it's.pdf", lines=(2, 9), sha256="ab" * 32, page=4),
        ts=NOON + timedelta(microseconds=7),
        session="s",
        speaker="Anna",
        turn=3,
        context="Anna, in March",
        trust=Trust.TOOL,
        model="digest",
    )
    await world.store.upsert([record], odd)
    before = await world.state()

    applied = await lifecycle.apply(NOON + 2 * DAY)
    moved = await world.state()
    undo = await lifecycle.undo(applied.entries[0].id)

    assert moved != before
    assert await world.state() == before
    assert world.sink.of(MoveUndone)[0].undoes == applied.entries[0].id
    assert (undo.verb, undo.rule, undo.undoes) == (Verb.UNDO, "user", applied.entries[0].id)


@promise("memory.undo.redo")
async def test_an_undo_can_be_undone_again_and_again(world: World) -> None:
    lifecycle = world.lifecycle()
    await world.keep("Tea is green. Yes.", Layer.INSIGHTS)
    before = await world.state()
    applied = await lifecycle.apply(NOON + 100 * DAY)
    after = await world.state()
    entry = applied.entries[0]

    for expected in (before, after, before, after):
        entry = await lifecycle.undo(entry.id)
        assert await world.state() == expected


@promise("memory.undo.spared")
async def test_no_rule_does_again_what_a_person_took_back(world: World) -> None:
    lifecycle = world.lifecycle()
    record = await world.keep("small talk")
    applied = await lifecycle.apply(NOON + 2 * DAY)
    undo = await lifecycle.undo(applied.entries[0].id)

    spared = await lifecycle.simulate(NOON + 9 * DAY)
    other = [{"name": "expire", "when": {"layer": "interact", "older_than": "2h"}, "then": {"do": "expire"}}]
    by_other_rules = await world.lifecycle(validate_rules(other)).simulate(NOON + 9 * DAY)
    await world.store.upsert([replace(record, text="other small talk")], axis(1))
    of_new_text = await lifecycle.simulate(NOON + 9 * DAY)

    assert spared == ()
    assert len(by_other_rules) == len(of_new_text) == 1
    with pytest.raises(InvalidInputError):
        await lifecycle.undo(undo.id)


async def test_a_record_whose_expiry_was_done_again_is_gone(world: World) -> None:
    lifecycle = world.lifecycle()
    await world.keep("small talk")
    applied = await lifecycle.apply(NOON + 2 * DAY)
    undo = await lifecycle.undo(applied.entries[0].id)

    await lifecycle.undo(undo.id)

    assert await world.store.fetch(Filter()) == []
