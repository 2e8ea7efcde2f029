"""What every ledger promises; the same tests run on the fake and on the store's SQLite file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from pathlib import Path

import pytest

from ourcli.common.errors import StoreConflictError
from ourcli.common.ids import new_id
from ourcli.memory.backends.schema import open_database
from ourcli.memory.backends.sqlite_ledger import SqliteLedger, write_entries
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Ledger, LedgerEntry, SourceDigest, Verb, last_that_holds
from ourcli.memory.lifecycle.moves import change
from ourcli.memory.record import Source, Trust
from ourcli.testing.ledger import FakeLedger
from tests.promises import promise
from tests.support.ledger import a_promotion, a_reason, an_image, an_undo, plain
from tests.support.records import NOON

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    ledger: Ledger
    write: Callable[[Sequence[LedgerEntry]], None]


@pytest.fixture(params=["fake", "sqlite"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "fake":
        fake = FakeLedger()
        yield Bench(ledger=fake, write=fake.write)
        return
    database = open_database(tmp_path / "db" / "journal.sqlite")

    def write(entries: Sequence[LedgerEntry]) -> None:
        with database.writing() as connection:
            write_entries(connection, entries)

    yield Bench(ledger=SqliteLedger(database), write=write)
    database.close()


async def test_an_entry_that_is_not_there_is_none(bench: Bench) -> None:
    assert await bench.ledger.entry("0190") is None
    assert await bench.ledger.of_records(["0190"]) == []
    assert await bench.ledger.of_records([]) == []


async def test_undoing_what_is_not_there_or_undone_is_refused_whole(bench: Bench) -> None:
    entry = a_promotion(an_image())
    first, second = an_undo(entry), an_undo(entry)
    with pytest.raises(StoreConflictError):
        bench.write([a_promotion(an_image()), first])
    assert await bench.ledger.since(None) == []

    bench.write([entry])
    bench.write([first])
    with pytest.raises(StoreConflictError):
        bench.write([a_promotion(an_image()), second])

    assert [one.id for one in await bench.ledger.since(None)] == [first.id, entry.id]


@promise("memory.ledger.every-field")
async def test_an_entry_comes_back_with_every_field(bench: Bench) -> None:
    image = an_image(
        "emoji 🎉, عربي, NUL \x00 and 'quotes'",
        tags=("a'b", "c"),
        source=Source(uri="/notes/it's.pdf", lines=(2, 9), sha256="ab" * 32, page=4),
        parents=(an_image().record.id,),
        trust=Trust.TOOL,
        ts=NOON + timedelta(microseconds=7),
        turn=3,
        speaker="Anna",
        session="s",
        context="Anna, in March",
        model="digest",
    )
    summary = an_image("short", place=5, layer=Layer.ASSETS)
    reason = a_reason(Verb.SUMMARISE, at=NOON + timedelta(microseconds=123))
    entry = change(reason, [image, an_image("gone")], [image, summary]).entry
    bench.write([entry])

    found = await bench.ledger.entry(entry.id)

    assert found is not None
    for field in fields(LedgerEntry):
        if field.name not in {"before", "after"}:
            assert getattr(found, field.name) == getattr(entry, field.name), field.name
    assert plain(found.before) == plain(entry.before)
    assert plain(found.after) == plain(entry.after)


@promise("memory.ledger.undone-marked")
async def test_an_undo_marks_what_it_undoes_and_may_be_undone_itself(bench: Bench) -> None:
    entry = a_promotion(an_image())
    undo = an_undo(entry)
    again = an_undo(undo, hours=2)
    for one in (entry, undo, again):
        bench.write([one])

    first, second, third = [await bench.ledger.entry(one.id) for one in (entry, undo, again)]

    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.undone_by, second.undone_by, third.undone_by) == (undo.id, again.id, None)
    assert (first.undoes, second.undoes, third.undoes) == (None, entry.id, undo.id)


async def test_entries_of_records_name_what_was_touched_and_what_was_a_source(bench: Bench) -> None:
    image, other = an_image(), an_image("other")
    promotion, unrelated = a_promotion(image), a_promotion(other)
    summed = change(a_reason(Verb.SUMMARISE), [image], [an_image("short")]).entry
    for one in (promotion, unrelated, summed):
        bench.write([one])

    of_image = await bench.ledger.of_records([image.record.id])
    of_summary = await bench.ledger.of_records([summed.after[0].record.id])

    assert [one.id for one in of_image] == [promotion.id, summed.id]
    assert [one.id for one in of_summary] == [summed.id]


async def test_more_records_than_one_statement_takes_can_be_asked_for(bench: Bench) -> None:
    entries = [a_promotion(an_image(f"text {number}")) for number in range(600)]
    bench.write(entries)

    found = await bench.ledger.of_records([one.touched[0] for one in reversed(entries)])

    assert [one.id for one in found] == [one.id for one in entries]
    assert all(one.before and one.sources for one in found)


async def test_history_begins_at_a_moment_and_tells_the_last_first(bench: Bench) -> None:
    entries = [a_promotion(an_image(), at=NOON + timedelta(hours=hour)) for hour in range(4)]
    for one in entries:
        bench.write([one])

    since = await bench.ledger.since(NOON + timedelta(hours=1))
    limited = await bench.ledger.since(None, limit=2)

    assert [one.id for one in since] == [one.id for one in reversed(entries[1:])]
    assert [one.id for one in limited] == [entries[3].id, entries[2].id]


@promise("memory.ledger.trimmed")
async def test_old_images_go_and_their_digests_stay(bench: Bench) -> None:
    old = a_promotion(an_image("old"), at=NOON + timedelta(days=9))
    new = a_promotion(an_image("new"), entry_id=new_id(NOON + timedelta(days=9)), at=NOON - timedelta(days=9))
    bench.write([old, new])

    trimmed = await bench.ledger.trim(NOON + timedelta(days=5))
    again = await bench.ledger.trim(NOON + timedelta(days=5))

    found = await bench.ledger.entry(old.id)
    kept = await bench.ledger.entry(new.id)
    assert found is not None
    assert kept is not None
    assert (trimmed, again) == (1, 0)
    assert (found.before, found.after) == ((), ())
    assert (found.touched, found.layers, found.sources) == (old.touched, old.layers, old.sources)
    assert plain(kept.before) == plain(new.before)


async def test_a_record_settled_when_the_last_move_that_holds_brought_it_there(bench: Bench) -> None:
    image = an_image()
    promotion = a_promotion(image)
    demotion = change(
        a_reason(Verb.DEMOTE, at=NOON + timedelta(hours=5)), promotion.after, [an_image("x", layer=Layer.ASSETS)]
    ).entry
    tagging = change(a_reason(Verb.TAG, at=NOON + timedelta(hours=9)), promotion.after, promotion.after).entry
    bench.write([promotion, tagging])
    settled = await bench.ledger.settled()
    undo = an_undo(promotion)
    bench.write([demotion, undo])
    after_undo = await bench.ledger.settled()
    bench.write([an_undo(undo)])
    done_again = await bench.ledger.settled()

    record_id, made_id = image.record.id, demotion.after[0].record.id
    assert settled == {record_id: NOON}
    assert after_undo == {made_id: NOON + timedelta(hours=5)}
    assert done_again == {record_id: NOON, made_id: NOON + timedelta(hours=5)}


async def test_what_a_person_took_back_is_told_until_it_is_done_again(bench: Bench) -> None:
    image = an_image()
    promotion, by_hand = a_promotion(image), a_promotion(an_image(), rule="user", rule_version="")
    undo = an_undo(promotion)
    bench.write([promotion, by_hand])
    bench.write([undo, an_undo(by_hand)])
    taken_back = await bench.ledger.taken_back()
    bench.write([an_undo(undo)])

    assert taken_back == {(promotion.rule_version, SourceDigest.of(image.record))}
    assert await bench.ledger.taken_back() == frozenset()


def test_the_last_move_that_holds_is_the_one_that_did_it_again() -> None:
    older, moved = a_promotion(an_image("older")), a_promotion(an_image("moved"))
    undone = an_undo(moved)
    redone = an_undo(undone)
    taken_back = [undone, replace(moved, undone_by=undone.id), older]
    done_again = [redone, replace(undone, undone_by=redone.id), *taken_back[1:]]

    found = [last_that_holds(one) for one in ([], [moved, older], taken_back, done_again, taken_back[:2])]

    assert found == [None, moved, older, redone, None]
