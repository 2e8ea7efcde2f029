"""A damaged store: a clear error that names the file, and a repair that brings back all that can be read."""

import sqlite3
from collections.abc import Callable
from contextlib import aclosing, closing
from pathlib import Path

import pytest

from ourcli.common.errors import StoreError
from ourcli.memory.backends.journaled_store import JournaledStore, open_journaled
from ourcli.memory.backends.repair import repair
from ourcli.memory.backends.sqlite_ledger import SqliteLedger
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Image, LedgerEntry, Verb
from ourcli.memory.query import Filter
from ourcli.memory.record import Record
from tests.promises import promise
from tests.support.records import NOON, a_record, axis

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "db"


async def records_in(folder: Path) -> list[Record]:
    async with aclosing(await open_journaled(folder)) as store:
        found = await store.fetch(Filter())
    return sorted(found, key=lambda one: one.text)


async def left_open(folder: Path, records: list[Record], *, at_a_time: int = 1) -> JournaledStore:
    """Write records into the journal and leave the store as a killed process leaves it."""
    store = await open_journaled(folder)
    for start in range(0, len(records), at_a_time):
        some = records[start : start + at_a_time]
        await store.upsert(some, axis(*range(start, start + len(some))))
    return store


def killed(folder: Path, store: JournaledStore) -> None:
    """Let go of the files without the tidying up that closing does."""
    kept = {path: path.read_bytes() for path in folder.glob("journal.sqlite*")}
    store.database.close()
    for path, data in kept.items():
        path.write_bytes(data)


def overwritten(path: Path) -> None:
    path.write_bytes(b"not a database" * 1_000)


def headless(path: Path) -> None:
    path.write_bytes(bytes(8_192) + path.read_bytes()[8_192:])


def torn(path: Path) -> None:
    data = path.read_bytes()
    half = len(data) // 8_192 * 4_096
    path.write_bytes(data[:half] + bytes(len(data) - half))


def scratched(path: Path) -> None:
    data = bytearray(path.read_bytes())
    at = data.index(b"record 3")
    data[at : at + 8] = b"XXXXXXXX"
    path.write_bytes(bytes(data))


@promise("memory.repair.journal")
@pytest.mark.parametrize(("damage", "most_lost"), [(overwritten, 20), (headless, 0), (torn, 14), (scratched, 1)])
async def test_what_the_journal_still_holds_comes_back(
    folder: Path, damage: Callable[[Path], None], most_lost: int
) -> None:
    safe = [a_record(f"safe {number}") for number in range(3)]
    waiting = [a_record(f"record {number}" + " and more" * number * 60) for number in range(20)]
    async with aclosing(await open_journaled(folder)) as store:
        await store.upsert(safe, axis(0, 1, 2))
    store = await left_open(folder, waiting)
    killed(folder, store)
    with closing(sqlite3.connect(folder / "journal.sqlite")) as journal:
        journal.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage(folder / "journal.sqlite")
    with pytest.raises(StoreError, match=r"journal\.sqlite' is damaged") as raised:
        await records_in(folder)
    assert "doctor --repair" in raised.value.hint
    report = await repair(folder)
    found = await records_in(folder)
    assert report.changes >= 20 - most_lost
    assert set(safe) <= set(found) <= {*safe, *waiting}
    assert len(found) == 3 + report.changes
    assert any("journal.sqlite" in problem for problem in report.problems)
    assert all(path.exists() for path in report.moved)


@promise("memory.repair.log")
async def test_damage_in_the_middle_of_the_log_is_noticed_and_the_rest_of_it_saved(folder: Path) -> None:
    records = [a_record(f"record {number}") for number in range(12)]
    killed(folder, await left_open(folder, records))
    log = folder / "journal.sqlite-wal"
    data = bytearray(log.read_bytes())
    at = data.index(b"record 5")
    data[at : at + 8] = b"XXXXXXXX"
    log.write_bytes(bytes(data))
    for _ in range(2):
        with pytest.raises(StoreError, match=r"journal\.sqlite' is damaged"):
            await records_in(folder)
    report = await repair(folder)
    found = {one.text for one in await records_in(folder)}
    assert found >= {one.text for one in records if one.text != "record 5"}
    assert report.changes >= 11


async def test_a_log_that_a_power_cut_tore_at_its_end_is_no_damage(folder: Path) -> None:
    records = [a_record(f"record {number}") for number in range(4)]
    killed(folder, await left_open(folder, records))
    log = folder / "journal.sqlite-wal"
    log.write_bytes(log.read_bytes()[:-2_000] + bytes(2_000))
    assert [one.text for one in await records_in(folder)] == ["record 0", "record 1", "record 2"]
    assert (await repair(folder)).problems == ()


@promise("memory.repair.journal")
async def test_the_ledger_is_saved_with_the_changes(folder: Path) -> None:
    async with aclosing(await open_journaled(folder)) as store:
        image = Image(record=a_record("kept"), vector=axis(0)[0])
        entry = LedgerEntry(
            id="entry", verb=Verb.PIN, rule="user", rule_version="", at=NOON, after=(image,), touched=(image.record.id,)
        )
        await store.commit(upserts=[image], entries=[entry])
        await store.upsert([a_record("record 3")], axis(1))
        with store.database.writing() as connection:
            connection.execute("UPDATE changes SET crc = crc + 1 WHERE record LIKE '%record 3%'")
        killed(folder, store)
    report = await repair(folder)
    async with aclosing(await open_journaled(folder)) as store:
        assert [one.text for one in await store.fetch(Filter())] == ["kept"]
        assert (await SqliteLedger(store.database).entry("entry")) is not None
    assert report.changes == 1


async def written_in_pieces(folder: Path) -> list[Record]:
    """Return the records of a store whose insights lie in several fragments."""
    records = [a_record(f"note {number}") for number in range(12)]
    async with aclosing(await open_journaled(folder)) as store:
        await store.set_store_model("digest")
        for number, record in enumerate(records):
            await store.upsert([record, a_record(f"asset {number}", layer=Layer.ASSETS)], axis(number, number))
            await store.flush()
    return records


def newest_manifest(folder: Path, name: str) -> Path:
    return min((folder / f"{name}.lance" / "_versions").glob("*.manifest"))


@promise("memory.repair.table")
async def test_a_table_that_lost_a_data_file_keeps_the_rest(folder: Path) -> None:
    await written_in_pieces(folder)
    sorted((folder / "insights.lance" / "data").glob("*.lance"))[4].unlink()
    with pytest.raises(StoreError, match=r"insights\.lance"):
        await records_in(folder)
    report = await repair(folder)
    found = await records_in(folder)
    assert report.records == 11
    assert len(found) == 23
    assert [problem for problem in report.problems if "insights.lance" in problem]
    assert all(path.exists() for path in report.moved)
    assert (await repair(folder)).problems == ()


@promise("memory.repair.manifest")
async def test_a_torn_newest_manifest_costs_nothing_that_stands_in_the_version_before(folder: Path) -> None:
    records = await written_in_pieces(folder)
    newest_manifest(folder, "insights").write_bytes(b"")
    report = await repair(folder)
    texts = {one.text for one in await records_in(folder)}
    assert texts >= {one.text for one in records[:-1]}
    assert report.older == report.records == 11


@promise("memory.repair.table")
@pytest.mark.parametrize("name", ["insights", "facts"])
async def test_a_table_that_is_gone_is_made_anew_and_the_others_stay(folder: Path, name: str) -> None:
    await written_in_pieces(folder)
    (folder / f"{name}.lance").rename(folder.parent / "gone")
    report = await repair(folder)
    found = await records_in(folder)
    assert len(found) == (12 if name == "insights" else 24)
    assert any(f"{name}.lance" in problem for problem in report.problems)


async def test_a_missing_text_index_is_made_anew(folder: Path) -> None:
    await written_in_pieces(folder)
    async with aclosing(await open_journaled(folder)) as store:
        await store.optimize()
    for file in (folder / "insights.lance" / "_indices").rglob("*.lance"):
        file.unlink()
    report = await repair(folder)
    async with aclosing(await open_journaled(folder)) as store:
        assert len((await store.matching(Layer.INSIGHTS, "note", Filter(), 20)).ids) == 12
    assert report.records == 12


async def test_a_store_that_is_whole_is_left_alone(folder: Path) -> None:
    await written_in_pieces(folder)
    before = times(folder)
    report = await repair(folder)
    assert (report.problems, report.moved) == ((), ())
    assert times(folder) == before


def times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.lance") if path.is_file()}


async def test_there_must_be_a_store_to_repair(folder: Path) -> None:
    with pytest.raises(StoreError, match="no memory"):
        await repair(folder)
