"""Moves by rules and by hand, on fakes and on the real store."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ourcli.common.errors import InvalidInputError, ModelMissingError, NotFoundError, StoreError
from ourcli.common.events import MoveSkipped, RecordsExpired, RecordsMoved
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Image, SourceDigest, Verb
from ourcli.memory.policy.reading import shipped_rules, validate_rules
from ourcli.memory.query import Filter
from ourcli.memory.record import Record
from ourcli.memory.usage import Use
from ourcli.testing.condensing import FakeCondenser
from ourcli.testing.memory import FakeRecordStore
from tests.promises import promise
from tests.support.lifecycle import DAY, World, open_world
from tests.support.records import NOON, a_record, axis

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["fake", "real"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path / "db" if request.param == "real" else None) as opened:
        yield opened


async def test_what_is_not_there_cannot_be_moved(world: World) -> None:
    lifecycle = world.lifecycle()
    with pytest.raises(NotFoundError):
        await lifecycle.promote("0190", Layer.INSIGHTS)
    with pytest.raises(NotFoundError):
        await lifecycle.demote("0190")
    with pytest.raises(NotFoundError):
        await lifecycle.pin(["0190"])
    with pytest.raises(NotFoundError):
        await lifecycle.why("0190")
    with pytest.raises(NotFoundError):
        await lifecycle.undo("0190")
    with pytest.raises(NotFoundError):
        await lifecycle.inbox_accept(["0190"])
    with pytest.raises(NotFoundError):
        await lifecycle.inbox_reject(["0190"])
    assert await lifecycle.history() == ()


async def test_a_move_that_leads_nowhere_is_refused(world: World) -> None:
    lifecycle = world.lifecycle()
    talk, asset = await world.keep("we talked"), await world.keep("a page", Layer.ASSETS)

    with pytest.raises(InvalidInputError, match="interact already"):
        await lifecycle.promote(talk.id, Layer.INTERACT)
    with pytest.raises(InvalidInputError, match="nothing is demoted"):
        await lifecycle.demote(talk.id)
    with pytest.raises(InvalidInputError, match="nothing is demoted"):
        await lifecycle.demote(asset.id)
    assert await lifecycle.history() == ()


@promise("memory.lifecycle.promote")
@promise("memory.ledger.with-the-move")
async def test_a_promoted_decision_keeps_its_id_and_is_in_one_layer(world: World) -> None:
    lifecycle = world.lifecycle()
    record = await world.keep("We use SQLite. The rest is small talk.", tags=("decision",), session="s")

    applied = await lifecycle.apply(NOON + 2 * DAY, trace_id="run-1")

    promoted = replace(record, layer=Layer.INSIGHTS, text="We use SQLite.")
    (entry,) = applied.entries
    stats = await world.store.stats()
    assert await world.store.fetch(Filter()) == [promoted]
    assert (stats[Layer.INTERACT].rows, stats[Layer.INSIGHTS].rows) == (0, 1)
    assert (entry.rule, entry.rule_version) == ("promote-decision", shipped_rules()[0].version)
    assert (entry.verb, entry.at, entry.trace_id) == (Verb.PROMOTE, NOON + 2 * DAY, "run-1")
    assert [one.record for one in entry.before] == [record]
    assert [one.record for one in entry.after] == [promoted]
    assert entry.layers == {record.id: ("interact", "insights")}
    assert entry.sources == (SourceDigest.of(record),)
    assert "more than 24 h" in str(entry.inputs["because"])
    assert entry.inputs["when"] == {"layer": "interact", "older_than": "24h", "tags": ["decision"]}
    assert world.sink.of(RecordsMoved)[0].ids == (record.id,)


@promise("memory.lifecycle.expire")
async def test_what_expires_is_gone_until_it_is_brought_back(world: World) -> None:
    lifecycle = world.lifecycle()
    await world.keep("small talk")
    before = await world.state()

    applied = await lifecycle.apply(NOON + 2 * DAY)
    gone = await world.state()
    await lifecycle.undo(applied.entries[0].id)

    assert gone == {}
    assert await world.state() == before
    assert len(world.sink.of(RecordsExpired)) == 1


@promise("memory.lifecycle.summarise")
async def test_a_summary_takes_the_place_of_its_sources(world: World) -> None:
    lifecycle = world.lifecycle()
    first = await world.keep("Tea is green. Yes.", Layer.INSIGHTS)
    second = await world.keep("Coffee is black. No.", Layer.INSIGHTS, ts=NOON + timedelta(hours=1))
    before = await world.state()

    applied = await lifecycle.apply(NOON + 100 * DAY)

    (summary,) = await world.store.fetch(Filter())
    (entry,) = applied.entries
    assert summary.layer is Layer.ASSETS
    assert summary.text == "Tea is green. Coffee is black."
    assert set(summary.parents) == {first.id, second.id}
    assert {one.id for one in entry.sources} == {first.id, second.id}
    assert entry.layers[summary.id] == (None, "assets")
    await lifecycle.undo(entry.id)
    assert await world.state() == before


async def test_a_rule_can_tag_and_another_one_move_what_was_tagged(world: World) -> None:
    rules = validate_rules(
        [
            {"name": "mark", "when": {"layer": "interact", "kind": "note"}, "then": {"do": "tag", "tags": ["kept"]}},
            {"name": "up", "when": {"tags": ["kept"]}, "then": {"do": "promote", "to": "insights"}},
        ]
    )
    record = await world.keep("a note")

    applied = await world.lifecycle(rules).apply(NOON + DAY)

    assert [one.verb for one in applied.entries] == [Verb.TAG, Verb.PROMOTE]
    assert await world.store.fetch(Filter()) == [replace(record, layer=Layer.INSIGHTS, tags=("kept",))]
    assert applied.skipped == ()


@promise("memory.lifecycle.simulate")
async def test_simulate_changes_nothing_and_announces_what_apply_does(world: World) -> None:
    lifecycle = world.lifecycle()
    for number in range(5):
        await world.keep(f"We decided {number}. Then we went home.", tags=("decision",))
        await world.keep(f"Small talk {number}")
        await world.keep(f"An old insight {number}. It was never used.", Layer.INSIGHTS)
    await world.usage.note(Use(ids=((await world.keep("used", Layer.INSIGHTS)).id,), at=NOON + 90 * DAY))
    before = await world.state()

    announced = await lifecycle.simulate(NOON + 100 * DAY)
    unchanged = await world.state()
    applied = await lifecycle.apply(NOON + 100 * DAY)

    assert unchanged == before
    assert len(announced) == 11
    assert applied.actions == announced
    assert [(one.rule, one.verb) for one in applied.entries] == [(one.rule, one.verb) for one in announced]
    assert [one.sources for one in applied.entries] == [
        tuple(SourceDigest.of(before[record_id][0]) for record_id in one.record_ids) for one in announced
    ]
    assert applied.skipped == ()


async def test_a_promoted_record_that_was_never_used_counts_from_its_promotion(world: World) -> None:
    lifecycle = world.lifecycle()
    await world.keep("We use SQLite.", tags=("decision",))
    await lifecycle.apply(NOON + 2 * DAY)

    early = await lifecycle.simulate(NOON + 91 * DAY)
    late = await lifecycle.simulate(NOON + 93 * DAY)

    assert early == ()
    assert [one.rule for one in late] == ["demote-stale-insight"]


@promise("memory.lifecycle.pinned")
async def test_no_rule_moves_a_pinned_record(world: World) -> None:
    lifecycle = world.lifecycle()
    record = await world.keep("small talk")

    changed = await lifecycle.pin([record.id, record.id])
    again = await lifecycle.pin([record.id])
    pinned = await lifecycle.simulate(NOON + 2 * DAY)
    freed = await lifecycle.unpin([record.id])

    assert (changed, again, freed) == ((record.id,), (), (record.id,))
    assert pinned == ()
    assert len(await lifecycle.simulate(NOON + 2 * DAY)) == 1


@promise("memory.lifecycle.by-hand")
async def test_what_the_user_moves_is_in_the_ledger_too(world: World) -> None:
    lifecycle = world.lifecycle()
    record = await world.keep("We use SQLite. And more.")

    up = await lifecycle.promote(record.id, Layer.INSIGHTS)
    down = await lifecycle.demote(record.id)
    await lifecycle.pin([record.id])

    history = await lifecycle.history()
    assert [one.verb for one in history] == [Verb.PIN, Verb.DEMOTE, Verb.PROMOTE]
    assert {one.rule for one in history} == {"user"}
    assert [one.id for one in history[1:]] == [down.id, up.id]
    assert await world.store.fetch(Filter()) == [replace(record, layer=Layer.ASSETS)]
    assert len({one.trace_id for one in history}) == 3


async def test_a_pin_can_be_taken_back(world: World) -> None:
    lifecycle = world.lifecycle()
    record = await world.keep("small talk")
    await lifecycle.pin([record.id])
    (entry,) = await lifecycle.history()

    undo = await lifecycle.undo(entry.id)
    freed = await world.usage.pinned()
    await lifecycle.undo(undo.id)

    assert freed == frozenset()
    assert await world.usage.pinned() == {record.id}


class Interfering(FakeRecordStore):
    """Change a record between what is looked at and the commit, as another process can."""

    change: Record | None = None

    async def commit(self, **given: object) -> None:
        if self.change is not None:
            await self.upsert([self.change], axis(9))
            self.change = None
        await super().commit(**given)  # type: ignore[arg-type]


@promise("memory.lifecycle.changed-meanwhile")
async def test_what_changed_since_it_was_decided_is_skipped_and_the_rest_done() -> None:
    async with open_world(None) as world:
        store = Interfering()
        world.store, world.ledger, world.usage.ledger = store, store.ledger, store.ledger  # type: ignore[attr-defined]
        first, second = await world.keep("first"), await world.keep("second")
        store.change = replace(first, text="said anew")

        applied = await world.lifecycle().apply(NOON + 2 * DAY)

    assert [one.record_ids for one in applied.actions] == [(second.id,)]
    assert "expire-interact" in applied.skipped[0]
    assert first.id in applied.skipped[0]
    assert [one.text for one in await store.fetch(Filter())] == ["said anew"]
    assert world.sink.of(MoveSkipped)[0].ids == (first.id,)


class Pinning(FakeCondenser):
    """Let a record be pinned while its text is shortened, which can take a model seconds."""

    world: World | None = None

    async def distilled(self, image: Image) -> Image:
        assert self.world is not None
        await self.world.lifecycle().pin([image.record.id])
        return await super().distilled(image)


@promise("memory.lifecycle.pinned")
async def test_a_pin_that_is_set_while_a_text_is_shortened_is_heeded(world: World) -> None:
    record = await world.keep("We use SQLite. And more.", tags=("decision",))
    world.condenser = Pinning()
    world.condenser.world = world

    applied = await world.lifecycle().apply(NOON + 2 * DAY)

    assert (applied.entries, len(applied.skipped)) == ((), 1)
    assert await world.store.fetch(Filter()) == [record]


async def test_what_waits_is_accepted_in_turn_when_one_move_builds_on_another(world: World) -> None:
    rules = validate_rules(
        [
            {"name": "mark", "when": {"layer": "interact"}, "then": {"do": "tag", "tags": ["kept"]}},
            {"name": "up", "when": {"tags": ["kept"]}, "then": {"do": "promote", "to": "insights"}},
        ]
    )
    lifecycle = world.lifecycle(rules, ask_first=True)
    record = await world.keep("a note")
    await lifecycle.apply(NOON + DAY)

    accepted = await lifecycle.inbox_accept([one.id for one in await lifecycle.inbox_list()])

    assert [one.verb for one in accepted.entries] == [Verb.TAG, Verb.PROMOTE]
    assert await world.store.fetch(Filter()) == [replace(record, layer=Layer.INSIGHTS, tags=("kept",))]


async def test_a_model_that_is_missing_ends_the_work_and_what_was_done_stays(world: World) -> None:
    decision = await world.keep("We use SQLite.", tags=("decision",))
    world.condenser.failure = ModelMissingError("no embedder")

    with pytest.raises(ModelMissingError):
        await world.lifecycle().apply(NOON + 2 * DAY)

    assert await world.store.fetch(Filter()) == [decision]


async def test_a_full_disk_moves_nothing() -> None:
    async with open_world(None) as world:
        record = await world.keep("small talk")
        world.store.failure = "no space left"  # type: ignore[attr-defined]

        with pytest.raises(StoreError):
            await world.lifecycle().apply(NOON + 2 * DAY)

        assert await world.store.fetch(Filter()) == [record]
        assert await world.lifecycle().history() == ()


@promise("memory.lifecycle.why")
async def test_why_names_the_parents_up_to_the_roots_and_every_move(world: World) -> None:
    lifecycle = world.lifecycle()
    root = await world.keep("Tea is green. Yes.", tags=("decision",))
    await lifecycle.apply(NOON + 2 * DAY)
    await lifecycle.apply(NOON + 100 * DAY)
    (summary,) = await world.store.fetch(Filter())
    child = a_record("made of it", parents=(summary.id,))
    await world.store.upsert([child], axis(3))

    explained = await lifecycle.why(child.id)
    of_the_gone = await lifecycle.why(root.id)

    assert explained.record == child
    assert [(one.id, one.gone) for one in explained.lineage] == [(summary.id, False), (root.id, True)]
    assert explained.lineage[1].record == replace(root, layer=Layer.INSIGHTS, text="Tea is green.")
    assert [one.rule for one in explained.ledger] == ["promote-decision", "demote-stale-insight"]
    assert of_the_gone.record is None
    assert of_the_gone.ledger == explained.ledger or len(of_the_gone.ledger) == 2


async def test_why_knows_the_parents_of_what_is_gone_when_its_images_are_gone_too(world: World) -> None:
    lifecycle = world.lifecycle()
    root = await world.keep("Tea is green. Yes.", Layer.INSIGHTS)
    await lifecycle.apply(NOON + 100 * DAY)
    (summary,) = await world.store.fetch(Filter())
    world.clock.advance(timedelta(days=200))
    trimmed = await lifecycle.trim()
    await world.store.delete([summary.id])

    explained = await lifecycle.why(summary.id)

    assert trimmed == 1
    assert [(one.id, one.record, one.gone) for one in explained.lineage] == [(root.id, None, True)]
