"""What only the real store can show: several processes, many small writes, damage."""

import sys
from pathlib import Path

import anyio
import pytest

from ourcli.common.errors import StoreError
from ourcli.memory.backends.lance import LanceRecordStore
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter
from tests.promises import promise
from tests.support.records import a_record, axis

pytestmark = pytest.mark.anyio


async def test_what_one_opening_wrote_the_next_one_reads(tmp_path: Path) -> None:
    record = a_record("written before")
    await (await LanceRecordStore.open(tmp_path / "db")).upsert([record], axis(0))
    assert await (await LanceRecordStore.open(tmp_path / "db")).fetch(Filter()) == [record]


async def test_a_write_is_seen_at_once_by_a_store_that_was_open_already(tmp_path: Path) -> None:
    writer, reader = await LanceRecordStore.open(tmp_path / "db"), await LanceRecordStore.open(tmp_path / "db")
    record = a_record("just written")
    await writer.upsert([record], axis(0))
    assert (await reader.nearest(Layer.INSIGHTS, axis(0)[0], Filter(), 1)).ids == (record.id,)
    assert (await reader.matching(Layer.INSIGHTS, "written", Filter(), 1)).ids == (record.id,)


async def test_stores_that_are_opened_together_create_the_tables_once(tmp_path: Path) -> None:
    opened: list[LanceRecordStore] = []

    async def open_one() -> None:
        opened.append(await LanceRecordStore.open(tmp_path / "db"))

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(open_one)
    for place, store in enumerate(opened):
        await store.upsert([a_record(f"by {place}")], axis(place))
    assert len(await opened[0].fetch(Filter())) == 4


_WRITER = """
import sys, anyio, pathlib
from ourcli.memory.backends.lance import LanceRecordStore
from tests.support.records import a_record, axis
async def main():
    store = await LanceRecordStore.open(pathlib.Path(sys.argv[1]))
    for number in range(5):
        await store.upsert([a_record(f"{sys.argv[2]} {number}")], axis(number))
anyio.run(main)
"""


@promise("memory.store.two-writers")
async def test_two_processes_that_write_a_new_store_lose_nothing(tmp_path: Path) -> None:
    async def write(name: str) -> None:
        await anyio.run_process([sys.executable, "-c", _WRITER, str(tmp_path / "db"), name], cwd=Path.cwd())

    async with anyio.create_task_group() as writers:
        writers.start_soon(write, "left")
        writers.start_soon(write, "right")
    texts = {record.text for record in await (await LanceRecordStore.open(tmp_path / "db")).fetch(Filter())}
    assert texts == {f"{name} {number}" for name in ("left", "right") for number in range(5)}


@promise("memory.store.fragments-bounded")
async def test_many_single_writes_leave_few_fragments(tmp_path: Path) -> None:
    store = await LanceRecordStore.open(tmp_path / "db")
    for number in range(40):
        await store.upsert([a_record(str(number))], axis(number))
        await store.tend()
    stats = (await store.stats())[Layer.INSIGHTS]
    assert stats.rows == 40
    assert stats.fragments <= 25


@promise("memory.store.damage")
async def test_a_table_that_lost_its_files_is_a_clear_error(tmp_path: Path) -> None:
    await (await LanceRecordStore.open(tmp_path / "db")).upsert([a_record("x")], axis(0))
    for file in (tmp_path / "db" / "insights.lance").rglob("*.manifest"):
        file.write_bytes(b"not a manifest")
    with pytest.raises(StoreError, match="memory"):
        await (await LanceRecordStore.open(tmp_path / "db")).fetch(Filter())


async def test_a_file_in_the_place_of_the_store_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("a file")
    with pytest.raises(StoreError, match="cannot create the folder"):
        await LanceRecordStore.open(tmp_path / "db")
