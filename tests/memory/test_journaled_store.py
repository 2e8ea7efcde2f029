"""What the journal promises on real tables: shared at once, synced before dropped, nothing lost on a full disk."""

import logging
import random
import resource
from collections.abc import Iterator, Mapping
from contextlib import aclosing, contextmanager
from pathlib import Path

import pytest

from ourcli.common.errors import StoreError
from ourcli.common.ids import RecordId
from ourcli.memory.backends.background import Inline
from ourcli.memory.backends.folder_sync import FolderSync
from ourcli.memory.backends.journaled_store import JournaledStore, Limits, open_journaled
from ourcli.memory.backends.lance import LanceRecordStore
from ourcli.memory.backends.schema import open_database
from ourcli.memory.backends.sqlite_journal import SqliteJournal
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter
from ourcli.memory.record import Record
from tests.promises import promise
from tests.support.power import Platter
from tests.support.records import a_record, axis

pytestmark = pytest.mark.anyio


@promise("memory.journal.shared")
async def test_another_open_store_sees_a_change_before_any_flush(tmp_path: Path) -> None:
    async with (
        aclosing(await open_journaled(tmp_path / "db")) as one,
        aclosing(await open_journaled(tmp_path / "db")) as two,
    ):
        record = a_record("just written")
        await one.upsert([record], axis(0))
        near = await two.nearest(Layer.INSIGHTS, axis(0)[0], Filter(), 1)
        matched = await two.matching(Layer.INSIGHTS, "written", Filter(), 1)
        assert await in_tables(tmp_path / "db") == []
        await two.delete([record.id])
        left = await one.fetch(Filter())
    assert near.ids == matched.ids == (record.id,)
    assert left == []


async def test_a_deleted_record_is_hidden_while_the_tables_still_hold_it(tmp_path: Path) -> None:
    async with aclosing(await open_journaled(tmp_path / "db")) as store:
        records = [a_record(f"cache {number}") for number in range(6)]
        await store.upsert(records, axis(*range(6)))
        await store.flush()
        await store.delete([record.id for record in records[:4]])
        near = await store.nearest(Layer.INSIGHTS, axis(0)[0], Filter(), 2)
        matched = await store.matching(Layer.INSIGHTS, "cache", Filter(), 2)
        assert len(await in_tables(tmp_path / "db")) == 6
    rest = {record.id for record in records[4:]}
    assert set(near.ids) == set(matched.ids) == rest


async def test_closing_moves_everything_to_the_tables(tmp_path: Path) -> None:
    record = a_record("kept")
    async with aclosing(await open_journaled(tmp_path / "db")) as store:
        await store.upsert([record], axis(0))
    assert await in_tables(tmp_path / "db") == [record]
    assert in_journal(tmp_path / "db") == 0


async def test_the_last_of_several_versions_in_one_call_counts(tmp_path: Path) -> None:
    old, new = a_record("old"), a_record("new")
    async with aclosing(await open_journaled(tmp_path / "db")) as store:
        await store.upsert([old, a_record("new", id=old.id, ts=new.ts)], axis(0, 1))
        assert [record.text for record in await store.fetch(Filter())] == ["new"]


async def test_many_records_at_once_go_to_the_tables_and_replace_what_the_journal_held(tmp_path: Path) -> None:
    first = a_record("first")
    async with aclosing(await open_journaled(tmp_path / "db", Limits(direct=3))) as store:
        await store.upsert([first], axis(0))
        many = [a_record("second", id=first.id), a_record("b"), a_record("c")]
        await store.upsert(many, axis(0, 1, 2))
        assert in_journal(tmp_path / "db") == 0
        assert {record.text for record in await store.fetch(Filter())} == {"second", "b", "c"}


async def test_a_record_that_the_tables_would_refuse_is_never_acknowledged(tmp_path: Path) -> None:
    async with aclosing(await open_journaled(tmp_path / "db")) as store:
        with pytest.raises(StoreError, match="cannot write to memory"):
            await store.upsert([a_record("x", turn=2**40)], axis(0))
        await store.upsert([a_record("fine")], axis(0))
        await store.flush()
    assert [record.text for record in await in_tables(tmp_path / "db")] == ["fine"]


@promise("memory.journal.bm25-comparable")
async def test_words_score_in_the_journal_as_in_the_tables(tmp_path: Path) -> None:
    records = [
        a_record("the caches are warm, and running"),
        a_record("a cached note about caching the caches"),
        a_record("something else entirely"),
    ]
    async with aclosing(await open_journaled(tmp_path / "db")) as store:
        await store.upsert(records, axis(0, 1, 2))
        before = await store.matching(Layer.INSIGHTS, "running the caches", Filter(), 5)
        await store.flush()
        after = await store.matching(Layer.INSIGHTS, "running the caches", Filter(), 5)
    assert before.ids == after.ids
    assert before.scores.tolist() == pytest.approx(after.scores.tolist(), rel=1e-4)


class _Watched(SqliteJournal):
    """The real journal; before a drop it asks what is not safe yet."""

    platter: Platter
    unsafe_at_drop: list[Path]

    def drop(self, last: int, safe: Mapping[str, int], boot: str) -> None:
        self.unsafe_at_drop = self.platter.unsafe()
        super().drop(last, safe, boot)


async def watched(folder: Path, limits: Limits | None = None) -> tuple[JournaledStore, _Watched, Platter]:
    tables = await LanceRecordStore.open(folder)
    database = open_database(folder / "journal.sqlite")
    journal, platter = _Watched(database), Platter(folder)
    journal.platter = platter
    sync = FolderSync(folder, platter.fsync).run
    store = JournaledStore(
        tables,
        journal,
        folder=folder,
        sync=sync,
        limits=limits or Limits(),
        database=database,
        background=Inline,
    )
    return store, journal, platter


@promise("memory.journal.synced-before-dropped")
async def test_changes_are_dropped_after_every_file_and_then_every_folder_was_synced(tmp_path: Path) -> None:
    store, journal, platter = await watched(tmp_path / "db")
    async with aclosing(store):
        record = a_record("one")
        for changes in ([record, a_record("two", layer=Layer.ASSETS)], [a_record("three")]):
            platter.order.clear()
            await store.upsert(changes, axis(*range(len(changes))))
            await store.delete([record.id])
            await store.flush()
            kinds = ["folder" if path.is_dir() else "file" for path in platter.order]
            assert journal.unsafe_at_drop == []
            assert kinds == sorted(kinds)
            assert in_journal(tmp_path / "db") == 0


@promise("memory.journal.power-cut")
async def test_a_power_cut_at_any_moment_leaves_what_was_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(5)
    store, _, platter = await watched(tmp_path / "db", Limits(rows=4, direct=5))
    model: dict[str, str] = {}
    async with aclosing(store):
        await store.set_store_model("digest")
        for step in range(24):
            await change(store, model, chance, step)
            if step % 4 == 3:
                left = platter.after_power_cut(tmp_path / f"after {step}")
                assert await contents(left) == model


async def change(store: JournaledStore, model: dict[str, str], chance: random.Random, step: int) -> None:
    ids = [f"id {chance.randrange(9)}" for _ in range(chance.choice([1, 1, 1, 6]))]
    if chance.random() < 0.25:
        await store.delete(ids)
        for record_id in ids:
            model.pop(record_id, None)
    else:
        layer = chance.choice(list(Layer))
        rows = [a_record(f"step {step}", id=RecordId(record_id), layer=layer) for record_id in ids]
        await store.upsert(rows, axis(*[0] * len(rows)))
        model |= dict.fromkeys(ids, f"step {step}")


async def contents(folder: Path) -> dict[str, str]:
    async with aclosing(await open_journaled(folder)) as store:
        records = await store.fetch(Filter())
        assert await store.store_model() == "digest"
    assert len({record.id for record in records}) == len(records)
    return {record.id: record.text for record in records}


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow beyond 2 kB, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@promise("memory.journal.disk-full")
async def test_a_flush_on_a_full_disk_is_a_clear_error_and_works_later(tmp_path: Path) -> None:
    records = [a_record(f"number {number}") for number in range(20)]
    async with aclosing(await open_journaled(tmp_path / "db")) as store:
        await store.upsert(records, axis(*range(20)))
        with full_disk(), pytest.raises(StoreError, match="cannot write to memory"):
            await store.flush()
        assert in_journal(tmp_path / "db") == 20
        assert len(await store.fetch(Filter())) == 20
        await store.flush()
        assert len(await store.fetch(Filter())) == 20
    assert {record.id for record in await in_tables(tmp_path / "db")} == {record.id for record in records}


async def test_a_journal_on_a_full_disk_acknowledges_nothing(tmp_path: Path) -> None:
    async with aclosing(await open_journaled(tmp_path / "db")) as store:
        with full_disk(), pytest.raises(StoreError, match="cannot write to memory"):
            await store.upsert([a_record("x" * 20_000)], axis(0))
        assert await store.fetch(Filter()) == []
        await store.upsert([a_record("y")], axis(0))
        assert [record.text for record in await store.fetch(Filter())] == ["y"]


async def test_a_flush_that_fails_behind_an_acknowledged_write_is_told_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store, _, platter = await watched(tmp_path / "db", Limits(rows=1))
    platter.broken = True
    with caplog.at_level(logging.WARNING):
        await store.upsert([a_record("a"), a_record("b")], axis(0, 1))
    platter.broken = False
    held = in_journal(tmp_path / "db")
    await store.upsert([a_record("c"), a_record("d")], axis(2, 3))
    assert held == 2
    assert in_journal(tmp_path / "db") == 0
    assert "cannot make the memory" in caplog.text
    await store.aclose()


async def test_many_single_writes_leave_few_fragments_and_all_records(tmp_path: Path) -> None:
    async with aclosing(await open_journaled(tmp_path / "db", Limits(rows=16))) as store:
        for number in range(120):
            await store.upsert([a_record(str(number))], axis(number))
        stats = (await store.stats())[Layer.INSIGHTS]
    assert stats.rows == 120
    assert stats.fragments <= 25


async def in_tables(folder: Path) -> list[Record]:
    return await (await LanceRecordStore.open(folder)).fetch(Filter())


def in_journal(folder: Path) -> int:
    journal = SqliteJournal(open_database(folder / "journal.sqlite"))
    try:
        return len(journal.changes())
    finally:
        journal.close()
