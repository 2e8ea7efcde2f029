"""What every record store promises; the same tests run on the fake, on LanceDB as it searches small and
large tables, and on LanceDB behind the journal, with everything still in the journal and with everything flushed."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from ourcli.memory.backends.journaled_store import Limits, open_journaled
from ourcli.memory.backends.lance import LanceRecordStore
from ourcli.memory.indexing import Indexes
from ourcli.memory.layers import Layer
from ourcli.memory.ports import RecordTables
from ourcli.memory.query import Filter
from ourcli.memory.record import Source, Trust
from ourcli.testing.memory import FakeRecordStore
from tests.promises import promise
from tests.support.records import NOON, a_record, axis

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["fake", "lance", "large", "journal", "flushed"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RecordTables]:
    if request.param == "fake":
        yield FakeRecordStore()
    elif request.param == "lance":
        yield await LanceRecordStore.open(tmp_path / "db")
    elif request.param == "large":
        yield await LanceRecordStore.open(tmp_path / "db", wanted=Indexes(exact_rows=-1))
    else:
        limits = Limits(rows=0) if request.param == "flushed" else Limits()
        async with aclosing(await open_journaled(tmp_path / "db", limits)) as opened:
            yield opened


@promise("memory.store.every-field")
async def test_a_record_comes_back_with_every_field(store: RecordTables) -> None:
    full = a_record(
        "emoji 🎉, عربي, NUL \x00 and 'quotes'",
        layer=Layer.ASSETS,
        kind="code",
        tags=("a'b", "c"),
        project="p'q",
        session="s",
        speaker="Anna",
        turn=3,
        source=Source(uri="/notes/it's.md", lines=(2, 9), sha256="ab" * 32, page=4),
        context="Anna, in March",
        parents=(a_record("parent").id,),
        trust=Trust.TOOL,
        model="digest",
    )
    await store.upsert([full], axis(0))
    assert await store.fetch(Filter(ids=(full.id,))) == [full]


@promise("memory.store.upsert")
async def test_an_id_that_exists_is_replaced(store: RecordTables) -> None:
    first = a_record("first")
    await store.upsert([first], axis(0))
    second = a_record("second", id=first.id)
    await store.upsert([second], axis(1))
    assert await store.fetch(Filter()) == [second]


async def test_an_id_in_another_layer_is_replaced_too(store: RecordTables) -> None:
    first = a_record("first", layer=Layer.INTERACT)
    await store.upsert([first], axis(0))
    moved = a_record("first", id=first.id, layer=Layer.INSIGHTS)
    await store.upsert([moved], axis(0))
    assert await store.fetch(Filter()) == [moved]


async def test_only_ids_that_were_there_count_as_removed(store: RecordTables) -> None:
    kept, gone = a_record("kept"), a_record("gone")
    await store.upsert([kept, gone], axis(0, 1))
    assert await store.delete([gone.id, "missing"]) == (gone.id,)
    assert await store.fetch(Filter()) == [kept]


async def test_the_nearest_vector_comes_first_with_its_cosine(store: RecordTables) -> None:
    records = [a_record("one"), a_record("two"), a_record("three")]
    await store.upsert(records, axis(0, 1, 2))
    found = await store.nearest(Layer.INSIGHTS, axis(1)[0], Filter(), k=2)
    assert found.ids[0] == records[1].id
    assert found.scores.tolist() == pytest.approx([1.0, 0.0], abs=1e-5)


async def test_a_leg_tells_all_that_the_ranking_needs(store: RecordTables) -> None:
    talk = a_record("words 🎉", kind="turn", session="s", turn=3, speaker="Anna", context="said before")
    note = a_record("other words", ts=NOON + timedelta(microseconds=1))
    await store.upsert([talk, note], axis(0, 1))
    near = await store.nearest(Layer.INSIGHTS, axis(0)[0], Filter(), k=2)
    matched = await store.matching(Layer.INSIGHTS, "before words", Filter(), k=2)
    for leg in (near, matched):
        assert (leg.layer, leg.ids) == (Layer.INSIGHTS, (talk.id, note.id))
        assert (leg.kinds, leg.sessions, leg.speakers) == (("turn", "note"), ("s", ""), ("Anna", ""))
        assert leg.turns.tolist() == [3, -1]
        assert leg.chars.tolist() == [7, 11]
        assert np.diff(leg.ts_us).tolist() == [1]
        assert leg.ts_us[0] == NOON.timestamp() * 1_000_000
        assert leg.vectors.tolist() == axis(0, 1).tolist()
        assert leg.scores.dtype == np.float64


async def test_words_are_matched_whatever_their_ending(store: RecordTables) -> None:
    wanted = a_record("the caches are warm")
    await store.upsert([wanted, a_record("something else entirely")], axis(0, 1))
    found = await store.matching(Layer.INSIGHTS, "cache", Filter(), k=5)
    assert found.ids == (wanted.id,)
    assert found.scores[0] > 0


@pytest.mark.parametrize("words", ["", "   ", "\x00", "🎉", "'; DROP TABLE insights; --", '"', "a AND (b OR", "*"])
async def test_words_without_a_match_bring_nothing_and_break_nothing(store: RecordTables, words: str) -> None:
    await store.upsert([a_record("plain words")], axis(0))
    assert (await store.matching(Layer.INSIGHTS, words, Filter(), k=5)).ids == ()


@promise("memory.search.filters")
@pytest.mark.parametrize(
    "where",
    [
        Filter(project="it's"),
        Filter(tags=("x'y", "z")),
        Filter(kind="k'"),
        Filter(session="s'"),
        Filter(since=NOON - timedelta(seconds=1), until=NOON + timedelta(seconds=1)),
        Filter(trust=Trust.WEB),
        Filter(source_uri="/a'b"),
    ],
)
async def test_a_filter_keeps_only_what_matches_in_every_way_of_reading(store: RecordTables, where: Filter) -> None:
    wanted = a_record(
        "same words",
        project="it's",
        tags=("x'y", "z"),
        kind="k'",
        session="s'",
        trust=Trust.WEB,
        source=Source(uri="/a'b", lines=None, sha256=""),
    )
    other = a_record("same words", ts=NOON - timedelta(days=2))
    await store.upsert([wanted, other], axis(0, 0))
    assert await store.fetch(where) == [wanted]
    assert (await store.nearest(Layer.INSIGHTS, axis(0)[0], where, k=5)).ids == (wanted.id,)
    assert (await store.matching(Layer.INSIGHTS, "words", where, k=5)).ids == (wanted.id,)


@pytest.mark.parametrize("value", ["' OR '1'='1", "x'; DELETE FROM insights; --", "\\'", "%"])
async def test_sql_in_a_filter_is_only_a_value(store: RecordTables, value: str) -> None:
    record = a_record("kept")
    await store.upsert([record], axis(0))
    assert await store.fetch(Filter(project=value)) == []
    assert await store.delete([value]) == ()
    assert await store.fetch(Filter()) == [record]


async def test_records_come_newest_first_up_to_the_limit(store: RecordTables) -> None:
    records = [a_record(str(day), ts=NOON - timedelta(days=day)) for day in range(4)]
    await store.upsert(records[::-1], axis(0, 1, 2, 3))
    assert await store.fetch(Filter(), limit=2) == records[:2]


async def test_a_scan_yields_every_record_once_with_its_vector(store: RecordTables) -> None:
    records = [a_record(str(place), layer=list(Layer)[place % 3]) for place in range(9)]
    await store.upsert(records, axis(*range(9)))
    rows = [row async for batch in store.scan(Filter(), 2) for row in batch]
    assert sorted(record.id for record, _ in rows) == sorted(record.id for record in records)
    for record, vector in rows:
        assert vector[int(record.text)] == 1.0


async def test_files_are_known_by_uri_and_digest(store: RecordTables) -> None:
    def piece(uri: str, sha256: str, project: str = "default") -> object:
        return a_record("x", layer=Layer.ASSETS, project=project, source=Source(uri=uri, lines=(1, 1), sha256=sha256))

    records = [piece("/a", "1"), piece("/a", "1"), piece("/b'c", "2"), piece("/d", "3", project="other")]
    await store.upsert(records, axis(0, 1, 2, 3))  # type: ignore[arg-type]  # all are records
    assert await store.sources("default") == [("/a", "1"), ("/b'c", "2")]
    found = await store.ids_from("default", ["/a", "/b'c", "/d", "/missing"])
    assert {uri: len(ids) for uri, ids in found.items()} == {"/a": 2, "/b'c": 1}


async def test_the_model_of_a_store_is_none_until_it_is_set(store: RecordTables) -> None:
    assert await store.store_model() is None
    await store.set_store_model("one")
    await store.set_store_model("two'")
    assert await store.store_model() == "two'"


async def test_stats_count_the_rows_of_each_layer(store: RecordTables) -> None:
    await store.upsert([a_record("a"), a_record("b", layer=Layer.INTERACT)], axis(0, 1))
    await store.optimize()
    await store.tend()
    assert {layer: one.rows for layer, one in (await store.stats()).items()} == {
        Layer.INTERACT: 1,
        Layer.INSIGHTS: 1,
        Layer.ASSETS: 0,
    }
