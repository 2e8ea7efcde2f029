"""A store of an older format comes to today's: whole, backed up, whatever cuts it off; a later one is refused."""

import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from ourcli.common.errors import StoreError
from ourcli.memory.backends import migrate
from ourcli.memory.backends.backup import backups
from ourcli.memory.backends.journaled_store import open_journaled
from ourcli.memory.backends.lance_facts import FORMAT as FORMAT_KEY
from ourcli.memory.backends.lance_opening import connect, open_tables
from ourcli.memory.layers import Layer
from ourcli.memory.migrations.history import FORMAT, HISTORY, after
from ourcli.memory.query import Filter
from ourcli.memory.record import Record, Source
from tests.promises import promise
from tests.support.format_one import put_in_journal, write_store
from tests.support.records import a_record, axis

pytestmark = pytest.mark.anyio


def some_records() -> list[Record]:
    source = Source(uri="/a.md", lines=(1, 2), sha256="ab")
    texts = enumerate(["the caches are warm", "a queue drains", "cache the index", "something else"])
    return [
        a_record(text, layer=list(Layer)[place % 3], source=source if place == 2 else None) for place, text in texts
    ]


@pytest.fixture
async def old(tmp_path: Path) -> tuple[Path, list[Record]]:
    folder, records = tmp_path / "db", some_records()
    folder.mkdir()
    await write_store(folder, records[:3], axis(0, 1, 2))
    put_in_journal(folder, records[3], axis(3)[0])
    return folder, records


async def ids_for(folder: Path, word: str) -> set[str]:
    async with aclosing(await open_journaled(folder)) as store:
        legs = [await store.matching(layer, word, Filter(), 5) for layer in Layer]
    return {record_id for leg in legs for record_id in leg.ids}


async def records_in(folder: Path) -> set[Record]:
    async with aclosing(await open_journaled(folder)) as store:
        found = await store.fetch(Filter())
    assert len(found) == len(set(found))
    return set(found)


def test_formats_are_numbered_from_one_without_gaps() -> None:
    assert [one.format for one in HISTORY] == list(range(1, FORMAT + 1))
    assert after(1) == HISTORY[1:]


@promise("memory.migrations.upgrade")
async def test_a_store_of_the_first_format_keeps_every_record_and_finds_it(old: tuple[Path, list[Record]]) -> None:
    folder, records = old
    assert await records_in(folder) == set(records)
    assert await ids_for(folder, "cache") == {records[0].id, records[2].id}
    assert await ids_for(folder, "else") == {records[3].id}
    async with aclosing(await open_journaled(folder)) as store:
        assert await store.store_model() == "digest"
        with_context = a_record("yes", context="Anna, about the harvest")
        await store.upsert([with_context], axis(5))
        await store.flush()
    assert await ids_for(folder, "harvest") == {with_context.id}


@promise("memory.migrations.backup")
async def test_a_backup_of_the_old_store_lies_beside_the_new_one(old: tuple[Path, list[Record]]) -> None:
    folder, records = old
    await records_in(folder)
    (backup,) = backups(folder)
    table = await (await connect(backup)).open_table("insights")
    with closing(sqlite3.connect(backup / "journal.sqlite")) as journal:
        waiting = journal.execute("SELECT id FROM changes").fetchall()
    assert "context" not in (await table.schema()).names
    assert await table.count_rows() == 1
    assert waiting == [(records[3].id,)]


async def test_a_store_of_today_is_opened_without_a_backup(tmp_path: Path) -> None:
    assert await records_in(tmp_path / "db") == set()
    assert await records_in(tmp_path / "db") == set()
    assert backups(tmp_path / "db") == []


class _CutOffError(Exception):
    """The process ended here."""


@promise("memory.migrations.cut-off")
@pytest.mark.parametrize("steps", range(0, 16, 3))
async def test_a_migration_that_was_cut_off_is_finished_by_the_next_opening(
    old: tuple[Path, list[Record]], steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, records = old
    with monkeypatch.context() as patched:
        patched.setattr(migrate, "_take", cut_after(steps, migrate._take))
        if steps < 15:
            with pytest.raises(_CutOffError):
                await open_journaled(folder)
    assert await records_in(folder) == set(records)
    assert await ids_for(folder, "cache") == {records[0].id, records[2].id}
    assert len(backups(folder)) == 1


def cut_after(steps: int, take: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    left = [steps]

    async def cut(*arguments: Any) -> None:
        if not left[0]:
            raise _CutOffError
        left[0] -= 1
        await take(*arguments)

    return cut


@promise("memory.migrations.cut-off")
async def test_a_power_cut_in_a_migration_takes_the_tables_back_and_begins_again(
    old: tuple[Path, list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, records = old
    with monkeypatch.context() as patched:
        patched.setattr(migrate, "_take", cut_after(7, migrate._take))
        with pytest.raises(_CutOffError):
            await open_journaled(folder)
    newest = min((folder / "interact.lance" / "_versions").glob("*.manifest"))
    newest.write_bytes(b"")
    with closing(sqlite3.connect(folder / "journal.sqlite")) as journal, journal:
        journal.execute("UPDATE safe_versions SET boot = 'before'")
    assert await records_in(folder) == set(records)
    assert await ids_for(folder, "cache") == {records[0].id, records[2].id}


@promise("memory.migrations.killed")
async def test_a_killed_migration_is_finished_by_the_next_opening(old: tuple[Path, list[Record]]) -> None:
    folder, records = old
    command = [sys.executable, "-m", "tests.support.opener", str(folder)]
    async with await anyio.open_process(command, cwd=Path.cwd()) as process:
        while not backups(folder):
            assert process.returncode is None
            await anyio.sleep(0.001)
        process.kill()
    assert await records_in(folder) == set(records)
    assert len(backups(folder)) == 1


@promise("memory.migrations.together")
async def test_two_processes_that_open_an_old_store_together_both_succeed(old: tuple[Path, list[Record]]) -> None:
    folder, records = old
    counts: list[str] = []

    async def open_it() -> None:
        command = [sys.executable, "-m", "tests.support.opener", str(folder)]
        counts.append((await anyio.run_process(command, cwd=Path.cwd())).stdout.decode())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(open_it)
        tasks.start_soon(open_it)
    assert counts == [f"{len(records)}\n"] * 2
    assert await records_in(folder) == set(records)
    assert len(backups(folder)) == 1


@promise("memory.migrations.downgrade")
async def test_a_store_of_a_later_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    await records_in(tmp_path / "db")
    tables = await open_tables(tmp_path / "db", None)
    await tables.facts.note(FORMAT_KEY, str(FORMAT + 1))
    with pytest.raises(StoreError, match="later ourcli"):
        await open_journaled(tmp_path / "db")
    assert await tables.facts.format() == FORMAT + 1
