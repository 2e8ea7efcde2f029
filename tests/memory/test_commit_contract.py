"""What a commit promises: all of it or none, together with the ledger; the same tests run on the fake and for real."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from ourcli.common.errors import StoreConflictError, StoreError
from ourcli.common.ids import RecordId, new_id
from ourcli.memory.backends.journaled_store import Limits, open_journaled
from ourcli.memory.backends.sqlite_ledger import SqliteLedger
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Image, Ledger, LedgerEntry, Verb
from ourcli.memory.ports import RecordStore
from ourcli.memory.query import Filter
from ourcli.memory.record import Record
from ourcli.testing.memory import FakeRecordStore
from tests.promises import promise
from tests.support.records import NOON, a_record, axis

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["fake", "journal", "flushed"])
async def both(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[RecordStore, Ledger]]:
    if request.param == "fake":
        fake = FakeRecordStore()
        yield fake, fake.ledger
        return
    limits = Limits(rows=0) if request.param == "flushed" else Limits()
    async with aclosing(await open_journaled(tmp_path / "db", limits)) as store:
        yield store, SqliteLedger(store.database)


def image(record: Record, place: int = 0) -> Image:
    return Image(record=record, vector=axis(place)[0])


def moved(before: Image, layer: Layer) -> Image:
    return replace(before, record=replace(before.record, layer=layer))


def an_entry(before: tuple[Image, ...], after: tuple[Image, ...], undoes: str | None = None) -> LedgerEntry:
    touched = tuple(dict.fromkeys(one.record.id for one in (*before, *after)))
    verb = Verb.UNDO if undoes else Verb.PROMOTE
    return LedgerEntry(
        id=new_id(NOON),
        verb=verb,
        rule="user",
        rule_version="",
        at=NOON,
        before=before,
        after=after,
        touched=touched,
        undoes=undoes,
    )


@promise("memory.commit.atomic")
async def test_a_move_and_its_entry_are_there_together(both: tuple[RecordStore, Ledger]) -> None:
    store, ledger = both
    old = image(a_record("a decision", layer=Layer.INTERACT))
    new = moved(old, Layer.INSIGHTS)
    await store.commit(upserts=[old])
    entry = an_entry((old,), (new,))
    await store.commit(upserts=[new], entries=[entry])
    written = await ledger.entry(entry.id)
    assert await store.fetch(Filter()) == [new.record]
    assert written is not None
    assert (written.before[0].record, written.after[0].record) == (old.record, new.record)


async def test_changes_and_removals_are_one_step(both: tuple[RecordStore, Ledger]) -> None:
    store, _ = both
    parts = [image(a_record("one")), image(a_record("two"), 1)]
    await store.commit(upserts=parts)
    summary = image(a_record("both", layer=Layer.ASSETS, parents=tuple(one.record.id for one in parts)), 2)
    ids = [one.record.id for one in parts]
    await store.commit(upserts=[summary], deletes=ids, entries=[an_entry(tuple(parts), (summary,))])
    assert await store.fetch(Filter()) == [summary.record]


async def test_images_come_in_the_order_asked_with_the_vectors_as_given(both: tuple[RecordStore, Ledger]) -> None:
    store, _ = both
    images = [image(a_record(str(place), layer=list(Layer)[place]), place) for place in range(3)]
    await store.commit(upserts=images)
    ids = [one.record.id for one in images]
    found = await store.images([ids[2], "missing", ids[0]])
    assert [one.record for one in found] == [images[2].record, images[0].record]
    assert all(one.same_as(other) for one, other in zip(found, (images[2], images[0]), strict=True))
    assert await store.images([]) == []


@promise("memory.commit.conflict")
@pytest.mark.parametrize("change", ["text", "gone", "new"])
async def test_what_changed_since_it_was_looked_at_is_not_moved(both: tuple[RecordStore, Ledger], change: str) -> None:
    store, ledger = both
    old = image(a_record("a decision", layer=Layer.INTERACT))
    new = moved(old, Layer.INSIGHTS)
    entry = an_entry(() if change == "new" else (old,), (new,))
    await store.upsert([replace(old.record, text="changed") if change == "text" else old.record], axis(0))
    if change == "gone":
        await store.delete([old.record.id])
    before = await store.fetch(Filter())
    with pytest.raises(StoreConflictError):
        await store.commit(upserts=[new], entries=[entry])
    assert await store.fetch(Filter()) == before
    assert await ledger.entry(entry.id) is None


@promise("memory.commit.conflict")
async def test_what_is_undone_already_cannot_be_undone_again(both: tuple[RecordStore, Ledger]) -> None:
    store, ledger = both
    old = image(a_record("a decision", layer=Layer.INTERACT))
    new = moved(old, Layer.INSIGHTS)
    await store.commit(upserts=[old])
    entry = an_entry((old,), (new,))
    await store.commit(upserts=[new], entries=[entry])
    undo = an_entry((new,), (old,), undoes=entry.id)
    await store.commit(upserts=[old], entries=[undo])
    again = an_entry((old,), (new,), undoes=entry.id)
    with pytest.raises(StoreConflictError):
        await store.commit(upserts=[new], entries=[again])
    taken_back = await ledger.entry(entry.id)
    assert await store.fetch(Filter()) == [old.record]
    assert taken_back is not None
    assert taken_back.undone_by == undo.id


async def test_a_record_that_no_table_takes_stops_the_whole_commit(tmp_path: Path) -> None:
    async with aclosing(await open_journaled(tmp_path / "db")) as store:
        kept = image(a_record("kept"))
        await store.commit(upserts=[kept])
        entry = an_entry((kept,), ())
        wrong = image(a_record("x", turn=2**40, id=RecordId("wrong")))
        with pytest.raises(StoreError, match="cannot write to memory"):
            await store.commit(upserts=[wrong], deletes=[kept.record.id], entries=[entry])
        assert await store.fetch(Filter()) == [kept.record]
        assert await SqliteLedger(store.database).entry(entry.id) is None
