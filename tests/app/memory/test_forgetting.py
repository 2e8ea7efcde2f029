"""Forgetting over fakes: what is asked of whom, in which order, and what a failure leaves behind."""

from dataclasses import replace

import pytest

from ourcli.app.memory.forgetting import Forgetting
from ourcli.common.clock import SystemClock
from ourcli.common.errors import NotFoundError, StoreError
from ourcli.common.events import RecordsForgotten
from ourcli.common.forgetting import Forgettable
from ourcli.common.ids import RecordId
from ourcli.memory.forgetting import RecordsForgetting
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Image, LedgerEntry, SourceDigest, Verb
from ourcli.memory.record import Record
from ourcli.testing.events import RecordingSink
from ourcli.testing.forgetting import FakeErasures, FakePlace
from ourcli.testing.memory import FakeRecordStore
from tests.promises import promise
from tests.support.records import NOON, a_record, axis

pytestmark = pytest.mark.anyio


class _Bench:
    def __init__(self) -> None:
        self.store = FakeRecordStore()
        self.book = FakeErasures()
        self.place, self.other = FakePlace("cache"), FakePlace("log")
        self.sink = RecordingSink()
        self.forgetting = self.over(RecordsForgetting(self.store), self.place, self.other)

    def over(self, *places: Forgettable) -> Forgetting:
        return Forgetting(
            store=self.store,
            ledger=self.store.ledger,
            book=self.book,
            places=places,
            clock=SystemClock(),
            sink=self.sink,
        )

    async def put(self, *records: Record) -> None:
        await self.store.upsert(records, axis(*range(len(records))))

    async def expire(self, record: Record) -> None:
        """Let the ledger be all that knows of a record."""
        entry = LedgerEntry(
            id=f"entry-{record.id}",
            verb=Verb.EXPIRE,
            rule="r",
            rule_version="v",
            at=NOON,
            before=tuple(await self.store.images([record.id])),
            touched=(record.id,),
            layers={record.id: (record.layer.value, None)},
        )
        await self.store.commit(deletes=[record.id], entries=[entry])


@pytest.fixture
def bench() -> _Bench:
    return _Bench()


def made_from(text: str, *parents: Record) -> Record:
    return a_record(text, parents=tuple(RecordId(one.id) for one in parents))


async def test_an_unknown_record_is_named_and_nothing_is_forgotten(bench: _Bench) -> None:
    record = a_record("known")
    await bench.put(record)

    with pytest.raises(NotFoundError, match="'missing'"):
        await bench.forgetting.forget([record.id, "missing"])
    with pytest.raises(NotFoundError, match="session 'never'"):
        await bench.forgetting.forget_session("default", "never")

    assert list(bench.store.rows) == [record.id]
    assert bench.book.listed == {}


async def test_nothing_given_nothing_forgotten(bench: _Bench) -> None:
    assert await bench.forgetting.forget([]) == ()
    assert bench.book.listed == {}
    assert bench.sink.events == []


@promise("memory.forget.everywhere")
async def test_every_place_is_asked_with_ids_and_all_texts(bench: _Bench) -> None:
    record = a_record("as it is now", context="Ann, 8 May 2023")
    earlier = Image(record=replace(record, text="as it was before"), vector=axis(0)[0])
    await bench.put(record)
    entry = LedgerEntry(
        id="e", verb=Verb.PROMOTE, rule="r", rule_version="v", at=NOON, before=(earlier,), touched=(record.id,)
    )
    bench.store.ledger.write([entry])

    gone = await bench.forgetting.forget([record.id])

    (asked,) = bench.place.erased
    assert gone == asked.ids == (record.id,)
    assert set(asked.texts) >= {"as it is now", "Ann, 8 May 2023\nas it is now", "as it was before"}
    assert bench.store.rows == {}
    assert bench.other.erased == [asked]
    assert next(event for event in bench.sink.events if isinstance(event, RecordsForgotten)).records == 1
    assert record.id not in repr(bench.sink.events)


@promise("memory.forget.cascade")
async def test_cascade_takes_what_was_made_from_it_through_any_number_of_hands(bench: _Bench) -> None:
    root, aside = a_record("root"), a_record("aside")
    answer = made_from("answer", root)
    summary = made_from("summary", answer, aside)
    late = made_from("late", summary)
    await bench.put(root, aside, answer, summary, late)
    await bench.expire(answer)

    gone = await bench.forgetting.forget([root.id], cascade=True)

    assert gone[0] == root.id
    assert set(gone) == {root.id, answer.id, summary.id, late.id}
    assert set(bench.store.rows) == {aside.id}


@promise("memory.forget.cascade")
async def test_a_summary_is_found_by_the_sources_that_its_entry_names(bench: _Bench) -> None:
    root, summary = a_record("root"), a_record("what became of it")
    await bench.put(root, summary)
    entry = LedgerEntry(
        id="e",
        verb=Verb.SUMMARISE,
        rule="r",
        rule_version="v",
        at=NOON,
        touched=(root.id, summary.id),
        layers={root.id: (Layer.INSIGHTS.value, None), summary.id: (None, Layer.ASSETS.value)},
        sources=(SourceDigest.of(root),),
    )
    bench.store.ledger.write([entry])

    assert set(await bench.forgetting.forget([root.id], cascade=True)) == {root.id, summary.id}


async def test_without_cascade_what_was_made_from_it_stays(bench: _Bench) -> None:
    root = a_record("root")
    answer = made_from("answer", root)
    await bench.put(root, answer)

    assert await bench.forgetting.forget([root.id]) == (root.id,)
    assert set(bench.store.rows) == {answer.id}


@promise("memory.forget.session")
async def test_a_session_is_forgotten_with_what_of_it_only_the_ledger_knows(bench: _Bench) -> None:
    said, expired = a_record("said", session="s"), a_record("said before", session="s")
    elsewhere = a_record("elsewhere", session="s", project="other")
    await bench.put(said, expired, elsewhere)
    await bench.expire(expired)

    gone = await bench.forgetting.forget_session("default", "s")

    assert set(gone) == {said.id, expired.id}
    assert set(bench.store.rows) == {elsewhere.id}
    assert bench.place.erased[0].sessions == ()


async def test_a_session_of_which_nothing_is_left_is_named(bench: _Bench) -> None:
    one, two = a_record("one", session="s"), a_record("two", session="t")
    await bench.put(one, two, a_record("more", session="t"))

    await bench.forgetting.forget([one.id, two.id])

    assert bench.place.erased[0].sessions == ("s",)


@promise("memory.forget.context")
async def test_the_turn_after_it_keeps_none_of_its_words(bench: _Bench) -> None:
    spoken = a_record("we eat custardplasma", session="s", turn=0)
    after = a_record("why not", session="s", turn=1, context="Ann, 8 May 2023\nwe eat custardplasma")
    await bench.put(spoken, after)

    await bench.forgetting.forget([spoken.id])

    assert bench.store.rows[after.id][0] == replace(after, context="Ann, 8 May 2023")


@promise("memory.forget.finished")
async def test_a_place_that_fails_keeps_no_other_from_letting_go_and_is_asked_again(bench: _Bench) -> None:
    record = a_record("secret words")
    await bench.put(record)
    bench.place.failure = "the disk is full"

    with pytest.raises(StoreError, match="not everything is forgotten yet: the disk is full"):
        await bench.forgetting.forget([record.id])

    assert bench.store.rows == {}
    assert len(bench.other.erased) == 1
    await bench.forgetting.finish_quietly()
    bench.place.failure = ""
    await bench.forgetting.finish()
    assert "secret words" in bench.place.erased[0].texts
    assert await bench.book.unfinished() == []


class _Killed(Exception):  # noqa: N818  # no error of ours: the process ends here
    pass


class _Deadly(FakePlace):
    async def erase(self, what: object) -> int:
        raise _Killed


@promise("memory.forget.finished")
@pytest.mark.parametrize("survivors", [0, 1, 2])
async def test_killed_between_any_two_places_the_next_opening_does_the_rest(bench: _Bench, survivors: int) -> None:
    record = a_record("secret words")
    await bench.put(record)
    places: list[Forgettable] = [RecordsForgetting(bench.store), bench.place, bench.other]
    with pytest.raises(_Killed):
        await bench.over(*places[:survivors], _Deadly(), *places[survivors:]).forget([record.id])

    assert await bench.forgetting.finish() == 1

    assert bench.store.rows == {}
    assert all("secret words" in place.erased[-1].texts for place in (bench.place, bench.other))
    assert await bench.book.unfinished() == []


@promise("memory.forget.finished")
async def test_wiping_asks_once_more_and_crosses_out_what_is_gone(bench: _Bench) -> None:
    record = a_record("secret words")
    await bench.put(record)
    await bench.forgetting.forget([record.id])

    await bench.forgetting.wipe()

    assert [what.ids for what in bench.place.erased] == [(record.id,), (record.id,)]
    assert (bench.store.erased, bench.place.wiped, bench.other.wiped) == (1, 1, 1)
    assert bench.book.listed == {}


async def test_without_anything_forgotten_the_tables_are_left_alone(bench: _Bench) -> None:
    await bench.forgetting.wipe()

    assert (bench.store.erased, bench.place.wiped) == (0, 1)


async def test_a_wipe_that_fails_is_done_again(bench: _Bench) -> None:
    record = a_record("secret words")
    await bench.put(record)
    await bench.forgetting.forget([record.id])
    bench.other.failure = "in use"

    with pytest.raises(StoreError, match="in use"):
        await bench.forgetting.wipe()

    bench.other.failure = ""
    await bench.forgetting.wipe()
    assert bench.book.listed == {}
