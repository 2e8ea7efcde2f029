"""When the journal is flushed and the tables are tended, and that nobody waits for it."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from ourcli.common.errors import StoreError
from ourcli.memory.backends import lance_upkeep
from ourcli.memory.backends.background import BackgroundThread, Inline, Work
from ourcli.memory.backends.compactor import Compactor
from ourcli.memory.backends.flusher import Flusher
from ourcli.memory.backends.journaled_store import JournaledStore, open_journaled
from ourcli.memory.backends.lance import LanceRecordStore
from ourcli.memory.backends.locking import FLUSH_LOCK, exclusive
from ourcli.memory.backends.rollback import manifests
from ourcli.memory.backends.sqlite_journal import SqliteJournal
from ourcli.memory.backends.upkeep import Limits, Upkeep
from ourcli.memory.journal import Change, JournalSize
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter
from tests.promises import promise
from tests.support.records import a_record, axis

pytestmark = pytest.mark.anyio


@dataclass(slots=True)
class Counted:
    """A flusher and a compactor that count; `wrong` makes flushing fail."""

    flushes: int = 0
    tended: int = 0
    settled: int = 0
    wrong: bool = False
    order: list[str] = field(default_factory=list)

    async def flush(self, *, wait: bool = True) -> int:
        self.flushes += 1
        if self.wrong:
            raise StoreError("the disk is full")
        return 0

    async def tend(self, *, wait: bool = True, idle: bool = False) -> None:
        self.tended += 1
        self.settled += idle


def upkeep(counted: Counted, now: Callable[[], float] = lambda: 0.0, limits: Limits | None = None) -> Upkeep:
    flusher: Flusher = counted  # type: ignore[assignment]  # as much of one as is called
    compactor: Compactor = counted  # type: ignore[assignment]  # the same
    return Upkeep(flusher, compactor, limits=limits or Limits(), flushing=Inline(), tending=Inline(), clock=now)


def size(rows: int, many: int = 0) -> JournalSize:
    return JournalSize(rows=rows, bytes=many)


@pytest.mark.parametrize(("grown", "flushes"), [(size(128), 0), (size(129), 1), (size(1, 8_000_001), 1)])
async def test_a_journal_is_flushed_and_the_tables_tended_once_it_is_large(grown: JournalSize, flushes: int) -> None:
    counted = Counted()
    await upkeep(counted).grown(grown)
    assert counted.flushes == counted.tended == flushes


@promise("memory.flush.age")
async def test_changes_that_wait_for_long_are_flushed_at_the_next_read_whatever_the_calendar_says() -> None:
    counted, now = Counted(), [100.0]
    kept = upkeep(counted, lambda: now[0])
    changes = (Change(id="a", row=None, seq=7),)
    for at, flushes in ((100.0, 0), (129.0, 0), (131.0, 1), (140.0, 1), (162.0, 2)):
        now[0] = at
        await kept.seen(changes)
        assert counted.flushes == flushes
    await kept.seen(())
    now[0] = 500.0
    await kept.seen((Change(id="b", row=None, seq=9),))
    assert counted.flushes == 2


async def test_once_nothing_waits_any_more_the_indexes_are_brought_up_to_date_once() -> None:
    counted, now = Counted(), [0.0]
    kept = upkeep(counted, lambda: now[0])
    await kept.seen((Change(id="a", row=None, seq=1),))
    for at, settled in ((1.0, 0), (30.0, 0), (32.0, 1), (99.0, 1)):
        now[0] = at
        await kept.seen(())
        assert counted.settled == settled
    assert counted.flushes == 0


async def test_after_a_failure_a_flush_waits_until_as_much_again_is_there() -> None:
    counted = Counted(wrong=True)
    kept = upkeep(counted)
    await kept.grown(size(300))
    await kept.grown(size(400))
    assert counted.flushes == 1
    counted.wrong = False
    await kept.grown(size(429))
    await kept.grown(size(258))
    assert counted.flushes == 3


@promise("memory.flush.background")
async def test_an_acknowledgement_does_not_wait_for_the_flush_that_it_causes(tmp_path: Path) -> None:
    record, more = a_record("first"), a_record("second")
    async with aclosing(await open_journaled(tmp_path / "db", Limits(rows=0))) as store:
        async with exclusive(tmp_path / "db" / FLUSH_LOCK):
            await store.upsert([record], axis(0))
            await store.upsert([more], axis(1))
            found = await store.fetch(Filter())
        assert {one.id for one in found} == {record.id, more.id}
    tables = await LanceRecordStore.open(tmp_path / "db")
    assert {one.id for one in await tables.fetch(Filter())} == {record.id, more.id}


async def test_background_work_runs_one_at_a_time_and_is_awaited_at_the_end() -> None:
    background, go, runs = BackgroundThread(), Event(), list[int]()

    async def work() -> None:
        go.wait()
        runs.append(1)

    piece: Work = work
    await background.run(piece, wait=False)
    await background.run(piece, wait=False)
    go.set()
    await background.aclose()
    await background.run(piece, wait=True)
    assert runs == [1]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[JournaledStore]:
    async with aclosing(await open_journaled(tmp_path / "db")) as opened:
        yield opened


async def flushed_one_by_one(store: JournaledStore, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        await store.upsert([a_record(f"note {number}")], axis(number))
        await store.flush()


@promise("memory.flush.crowded")
async def test_a_crowded_table_is_compacted_before_it_is_written_again(
    store: JournaledStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lance_upkeep, "_CROWDED", 5)
    monkeypatch.setattr(lance_upkeep, "_MOST_FRAGMENTS", 4)
    most = 0
    for number in range(14):
        await flushed_one_by_one(store, 1, number)
        most = max(most, (await store.stats())[Layer.INSIGHTS].fragments)
    assert most == 5
    assert len(await store.fetch(Filter())) == 14


def versions(folder: Path, name: str) -> set[int]:
    return {version for version, _ in manifests(folder / f"{name}.lance")}


@promise("memory.versions.safe")
async def test_old_versions_go_but_never_the_one_that_is_noted_as_safe(store: JournaledStore, tmp_path: Path) -> None:
    await flushed_one_by_one(store, 4)
    await store.compact(timedelta(milliseconds=1))
    left = versions(tmp_path / "db", "insights")
    noted = SqliteJournal(store.database).safe()["insights"].version
    assert noted in left
    assert len(left) <= 2
    assert len(await store.fetch(Filter())) == 4


async def test_versions_that_a_reader_may_still_need_stay(store: JournaledStore, tmp_path: Path) -> None:
    await flushed_one_by_one(store, 3)
    before = versions(tmp_path / "db", "insights")
    await store.compact()
    assert before <= versions(tmp_path / "db", "insights")


@promise("memory.versions.safe")
async def test_a_note_of_an_older_version_never_takes_the_place_of_a_newer_one(store: JournaledStore) -> None:
    journal = SqliteJournal(store.database)
    journal.drop(0, {"insights": 900}, "now")
    journal.drop(0, {"insights": 7}, "now")
    assert journal.safe()["insights"].version == 900
    journal.drop(0, {"insights": 7}, "after the power cut")
    assert journal.safe()["insights"].version == 7
