"""Indexes on real tables: built when due, of the kind that is wanted, asked so that they find, and never needed."""

from pathlib import Path

import numpy as np
import pytest

from ourcli.common.errors import ConfigError
from ourcli.memory.backends.indexes import Asking
from ourcli.memory.backends.lance import LanceRecordStore
from ourcli.memory.indexing import Indexes, VectorIndex, read_index
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter
from ourcli.memory.record import DIMS
from ourcli.memory.vectors import Matrix
from tests.promises import promise
from tests.support.records import a_record

pytestmark = pytest.mark.anyio

ROWS = 700
K = 20


def scattered(count: int) -> Matrix:
    """Return unit vectors around a few centres, as those of texts lie; shape [n, 384]."""
    chance = np.random.default_rng(11)
    centres = chance.standard_normal((count // 35, DIMS))
    vectors = centres[chance.integers(0, len(centres), count)] + 0.6 * chance.standard_normal((count, DIMS))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def wanting(kind: VectorIndex, **changes: int) -> Indexes:
    return Indexes(assets=kind, exact_rows=changes.pop("exact_rows", -1), from_rows=changes.pop("from_rows", ROWS))


async def filled(folder: Path, wanted: Indexes, vectors: Matrix) -> tuple[LanceRecordStore, list[str]]:
    store = await LanceRecordStore.open(folder, wanted=wanted)
    projects = ["even", "odd"]
    records = [a_record(f"text {n}", layer=Layer.ASSETS, project=projects[n % 2]) for n in range(len(vectors))]
    await store.upsert(records, vectors)
    return store, [record.id for record in records]


async def recall(store: LanceRecordStore, ids: list[str], vectors: Matrix, where: Filter) -> float:
    """Return which share of the truly nearest records a search finds, over some questions."""
    asked = range(0, len(ids), len(ids) // 10)
    shares = []
    for place in asked:
        passing = [n for n in range(len(ids)) if where.project is None or n % 2 == 0]
        nearest = sorted(passing, key=lambda n: -float(vectors[n] @ vectors[place]))[:K]
        found = await store.nearest(Layer.ASSETS, vectors[place], where, K)
        shares.append(len({ids[n] for n in nearest} & set(found.ids)) / K)
    return float(np.mean(shares))


@promise("memory.index.kinds")
@pytest.mark.parametrize(
    ("kind", "built"),
    [
        (VectorIndex.HNSW_SQ, "IvfHnswSq"),
        (VectorIndex.IVF_SQ, "IvfSq"),
        (VectorIndex.IVF_PQ, "IvfPq"),
        (VectorIndex.IVF_RQ, "IvfRq"),
    ],
)
async def test_every_kind_of_index_is_built_and_finds_nearly_all_with_a_filter_too(
    tmp_path: Path, kind: VectorIndex, built: str
) -> None:
    vectors = scattered(ROWS)
    store, ids = await filled(tmp_path / "db", wanting(kind), vectors)
    await store.build_due_indexes()
    assert await kinds(store) == {built}
    assert await recall(store, ids, vectors, Filter()) >= 0.9
    assert await recall(store, ids, vectors, Filter(project="even")) >= 0.9


async def kinds(store: LanceRecordStore) -> set[str]:
    """Return the kinds of vector indexes that the store's tables have."""
    listed = [index for table in store._tables.values() for index in await table.list_indices()]
    return {index.index_type for index in listed if index.columns == ["embedding"]}


async def test_a_small_table_gets_no_index_and_a_grown_one_gets_it_by_the_upkeep(tmp_path: Path) -> None:
    vectors = scattered(ROWS)
    store, _ = await filled(tmp_path / "db", wanting(VectorIndex.IVF_SQ, from_rows=ROWS + 1), vectors)
    await store.tend(idle=True)
    before = await kinds(store)
    await store.upsert([a_record("one more", layer=Layer.ASSETS)], vectors[:1])
    await store.tend(idle=True)
    assert (before, await kinds(store)) == (set(), {"IvfSq"})
    assert await store.build_due_indexes() is False


async def test_another_wanted_kind_takes_the_place_of_the_index_and_flat_removes_it(tmp_path: Path) -> None:
    vectors = scattered(ROWS)
    store, ids = await filled(tmp_path / "db", wanting(VectorIndex.IVF_SQ), vectors)
    await store.optimize()
    seen = [await kinds(store)]
    for kind in (VectorIndex.IVF_RQ, VectorIndex.FLAT):
        other = await LanceRecordStore.open(tmp_path / "db", wanted=wanting(kind))
        await other.build_due_indexes()
        seen.append(await kinds(other))
    assert seen == [{"IvfSq"}, {"IvfRq"}, set()]
    assert await recall(store, ids, vectors, Filter()) == 1.0


@promise("memory.index.unindexed-found")
async def test_a_row_that_came_after_the_index_is_found_and_a_changed_one_as_it_is_now(tmp_path: Path) -> None:
    vectors = scattered(ROWS)
    store, ids = await filled(tmp_path / "db", wanting(VectorIndex.IVF_SQ), vectors)
    await store.build_due_indexes()
    await store.nearest(Layer.ASSETS, vectors[0], Filter(), K)  # what it saw is held in memory from here on
    new = a_record("came later", layer=Layer.ASSETS)
    changed = a_record("changed words", layer=Layer.ASSETS, id=ids[1], project="even")
    away = -vectors[:2]
    await store.upsert([new, changed], away)
    near = await store.nearest(Layer.ASSETS, away[0], Filter(), 1)
    now = await store.nearest(Layer.ASSETS, away[1], Filter(), 1)
    matched = await store.matching(Layer.ASSETS, "changed", Filter(project="even"), 5)
    assert (near.ids, now.ids, matched.ids) == ((new.id,), (ids[1],), (ids[1],))
    assert (await store.fetch(Filter(ids=(ids[1],), layers=(Layer.ASSETS,)))) == [changed]


async def test_what_was_held_of_a_table_follows_additions_changes_and_removals(tmp_path: Path) -> None:
    vectors = scattered(ROWS)
    store, ids = await filled(tmp_path / "db", Indexes(), vectors)
    await store.nearest(Layer.ASSETS, vectors[0], Filter(), K)
    await store.delete([ids[0]])
    without = await store.nearest(Layer.ASSETS, vectors[0], Filter(), 1)
    back = a_record("back again", layer=Layer.ASSETS, id=ids[0])
    await store.upsert([back], vectors[:1])
    again = await store.nearest(Layer.ASSETS, vectors[0], Filter(), 1)
    await store.optimize()
    compacted = await store.nearest(Layer.ASSETS, vectors[0], Filter(), 1)
    assert ids[0] not in without.ids
    assert again.ids == compacted.ids == (ids[0],)
    assert await store.fetch(Filter(ids=(ids[0],))) == [back]


async def test_a_large_table_is_read_whole_once_many_of_its_rows_were_met(tmp_path: Path) -> None:
    vectors = scattered(1_400)
    store, ids = await filled(tmp_path / "db", wanting(VectorIndex.FLAT), vectors)
    for place in (0, 300, 600, 900):
        found = await store.nearest(Layer.ASSETS, vectors[place], Filter(), 600)
        assert found.ids[0] == ids[place]
    new = a_record("new", layer=Layer.ASSETS, session="s", turn=4)
    await store.upsert([new], -vectors[:1])
    leg = await store.nearest(Layer.ASSETS, -vectors[0], Filter(), 3)
    assert (leg.ids[0], leg.sessions[0], leg.turns[0]) == (new.id, "s", 4)
    records = await store.fetch(Filter(ids=leg.ids))
    assert {record.text for record in records} >= {"new"}
    assert len(records) == 3


async def test_a_table_whose_vectors_are_all_compared_gets_indexes_of_its_columns_only(tmp_path: Path) -> None:
    vectors = scattered(ROWS)
    store, _ = await filled(tmp_path / "db", wanting(VectorIndex.IVF_SQ, exact_rows=ROWS), vectors)
    await store.build_due_indexes()
    assert await kinds(store) == set()
    listed = [index for table in store._tables.values() for index in await table.list_indices()]
    assert {column for index in listed for column in index.columns} >= {"id", "project", "tags", "ts"}


def test_the_session_layer_is_flat_below_5_000_rows_and_the_others_below_20_000() -> None:
    assert [Indexes().flat_rows(layer) for layer in Layer] == [5_000, 20_000, 20_000]


def test_an_index_that_does_not_exist_is_refused_with_those_that_do() -> None:
    assert read_index("memory.index_assets", "ivf-pq") is VectorIndex.IVF_PQ
    with pytest.raises(ConfigError, match=r"memory.index_assets is 'ivf', which is no index") as refused:
        read_index("memory.index_assets", "ivf")
    assert "hnsw-sq" in str(refused.value.hint)


class Told:
    """A query that notes what it is told last of each thing."""

    def __init__(self) -> None:
        self.notes: dict[str, int] = {}

    def maximum_nprobes(self, number: int) -> "Told":
        self.notes["most"] = number
        return self

    def minimum_nprobes(self, number: int) -> "Told":
        self.notes["fewest"] = number
        return self


@pytest.mark.parametrize(("everywhere", "most"), [(False, 51), (True, 0)])
async def test_an_index_is_looked_through_as_far_as_was_meant_and_whole_only_when_asked(
    everywhere: bool, most: int
) -> None:
    told = Told()

    Asking(probes=51).applied(told, 200, everywhere=everywhere)

    assert told.notes["most"] == most
