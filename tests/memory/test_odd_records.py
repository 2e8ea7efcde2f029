"""Records that strain a store: huge, with many tags, in any script; they survive journal, tables and compaction."""

from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ourcli.memory.backends.journaled_store import Limits, open_journaled
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter
from tests.promises import promise
from tests.support.records import NOON, a_record, axis

pytestmark = pytest.mark.anyio

ODD: dict[str, dict[str, Any]] = {
    "a megabyte": {"text": "harvest " * 131_072},
    "ten thousand tags": {"text": "tagged", "tags": tuple(f"tag {number}" for number in range(10_000))},
    "emoji": {"text": "ship it 🚀👩‍👩‍👧‍👦 \U0001f3f3\ufe0f\u200d\U0001f308"},
    "right to left": {"text": "שלום עולם, مرحبا بالعالم \u202eabc\u202c"},
    "NUL and controls": {"text": "a\x00b\x01\x1b[31mc\x7f", "session": "s\x00", "speaker": "\x00"},
    "combining": {"text": "e\u0301 \u1100\u1161\u11a8 Z̸̢̛a̷l̵g̶o", "context": "Ünïcödé, März"},
    "before 1970": {"text": "old", "ts": NOON.replace(year=1815)},
    "SQL": {"text": "'; DROP TABLE insights; --", "project": "a' OR '1'='1", "kind": 'k"\\'},
}


@promise("memory.store.odd-records")
@pytest.mark.parametrize("name", ODD)
async def test_an_odd_record_comes_back_as_it_was_from_the_journal_and_from_the_tables(
    tmp_path: Path, name: str
) -> None:
    record = replace(a_record("x"), **ODD[name])
    async with aclosing(await open_journaled(tmp_path / "db")) as store:
        await store.upsert([record], axis(0))
        waiting = await store.fetch(Filter(ids=(record.id,)))
        await store.optimize()
        flushed = await store.images([record.id])
        words = await store.matching(Layer.INSIGHTS, record.text[:200], Filter(project=record.project), 5)
        near = await store.nearest(Layer.INSIGHTS, axis(0)[0], Filter(project=record.project, kind=record.kind), 5)
        await store.delete([record.id])
        await store.flush()
        assert await store.fetch(Filter()) == []
    assert waiting == [record]
    assert [one.record for one in flushed] == [record]
    assert list(near.ids) == [record.id]
    assert set(words.ids) <= {record.id}


@promise("memory.store.clock-backwards")
async def test_a_clock_that_goes_backwards_changes_neither_order_of_writing_nor_what_is_kept(tmp_path: Path) -> None:
    times = [NOON + timedelta(hours=hours) for hours in (0, -1, 5, -100)]
    async with aclosing(await open_journaled(tmp_path / "db", Limits(rows=1))) as store:
        record = a_record("first", ts=NOON)
        for number, ts in enumerate(times):
            await store.upsert([a_record(f"version {number}", id=record.id, ts=ts)], axis(number))
            await store.upsert([a_record(f"other {number}", ts=ts)], axis(number))
        await store.compact()
        (last,) = await store.fetch(Filter(ids=(record.id,)))
        everything = await store.fetch(Filter())
    assert last.text == "version 3"
    assert [one.ts for one in everything] == sorted((one.ts for one in everything), reverse=True)
    assert len(everything) == 5
