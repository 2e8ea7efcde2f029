"""Purging the real tables: no data file, index or old version keeps anything of what was removed."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from ourcli.common.errors import StoreError
from ourcli.memory.backends.backup import make_backup
from ourcli.memory.backends.journaled_store import JournaledStore, Limits, open_journaled
from ourcli.memory.backends.lance_opening import TABLES, connect
from ourcli.memory.indexing import Indexes, VectorIndex
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter
from ourcli.memory.record import DIMS, Record
from ourcli.memory.vectors import Matrix
from tests.promises import promise
from tests.support.records import a_record
from tests.support.traces import traces

pytestmark = pytest.mark.anyio
TEXT = "the zanzibarfish swims through purple custardplasma"
SMALL, LARGE = 5, 400


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[JournaledStore]:
    store = await open_journaled(tmp_path / "db", Limits(rows=8, direct=64))
    yield store
    await store.aclose()


def vectors(count: int, seed: int = 1) -> Matrix:
    matrix = np.random.default_rng(seed).standard_normal((count, DIMS)).astype(np.float32)
    return np.asarray(matrix / np.linalg.norm(matrix, axis=1, keepdims=True), dtype=np.float32)


def crowd(count: int, layer: Layer) -> list[Record]:
    return [a_record(f"an ordinary note number {number} on caches", layer=layer) for number in range(count)]


async def versions(folder: Path) -> dict[str, int]:
    database = await connect(folder)
    return {name: len(await (await database.open_table(name)).list_versions()) for name in TABLES}


@promise("memory.forget.tables-purged")
@pytest.mark.parametrize("layer", list(Layer))
@pytest.mark.parametrize("others", [0, SMALL, LARGE])
async def test_nothing_of_a_removed_record_stays_in_any_file(
    store: JournaledStore, tmp_path: Path, layer: Layer, others: int
) -> None:
    secret = a_record(TEXT, layer=layer, tags=("quuxplasmatag",), speaker="Wolframitz")
    matrix = vectors(others + 1)
    await store.upsert([*crowd(others, layer), secret], matrix)
    await store.upsert(crowd(2, layer), vectors(2, seed=2))
    await store.optimize()
    assert traces(tmp_path, [], [matrix[-1]])
    await store.delete([secret.id])

    await store.erase()
    store.database.wipe()

    assert traces(tmp_path, [TEXT, "quuxplasmatag", "Wolframitz"], [matrix[-1]], ids=[secret.id]) == []
    assert len(await store.fetch(Filter(layers=(layer,)))) == others + 2
    assert all(count == 1 for count in (await versions(tmp_path / "db")).values())
    assert (await store.matching(layer, "zanzibarfish custardplasma", Filter(), 5)).ids == ()


@promise("memory.forget.tables-purged")
@pytest.mark.parametrize("kind", [kind for kind in VectorIndex if kind is not VectorIndex.FLAT])
async def test_no_vector_index_keeps_a_removed_vector_as_the_middle_of_a_partition(
    tmp_path: Path, kind: VectorIndex
) -> None:
    wanted = Indexes(assets=kind, from_rows=100, exact_rows=0)
    store = await open_journaled(tmp_path / "db", wanted=wanted)
    alike, alone = vectors(1), vectors(1, seed=9)
    secret = a_record(TEXT, layer=Layer.ASSETS)
    crowded = np.repeat(alike, LARGE, axis=0) + vectors(LARGE, seed=3) * 0.01
    await store.upsert([*crowd(LARGE, Layer.ASSETS), secret], np.concatenate([crowded.astype(np.float32), alone]))
    await store.optimize()
    await store.delete([secret.id])

    await store.erase()
    store.database.wipe()
    gone = traces(tmp_path, [TEXT], [alone[0]], ids=[secret.id])
    await store.optimize()
    found = await store.nearest(Layer.ASSETS, alike[0], Filter(), 5)
    await store.aclose()

    assert gone == []
    assert len(found.ids) == 5


@promise("memory.forget.tables-purged")
async def test_what_stays_is_found_as_before(store: JournaledStore) -> None:
    kept = [*crowd(LARGE, Layer.INSIGHTS), a_record("the linker fails on macOS")]
    matrix = vectors(LARGE + 1)
    await store.upsert(kept, matrix)
    await store.delete([kept[3].id])

    await store.erase()

    found = await store.nearest(Layer.INSIGHTS, matrix[-1], Filter(), 1)
    worded = await store.matching(Layer.INSIGHTS, "linker macOS", Filter(), 1)
    assert tuple(found.ids) == tuple(worded.ids) == (kept[-1].id,)
    assert len(await store.fetch(Filter())) == LARGE


@promise("memory.forget.tables-purged")
async def test_backups_and_what_was_moved_aside_go_too(store: JournaledStore, tmp_path: Path) -> None:
    record = a_record(TEXT)
    await store.upsert([record], vectors(1))
    await store.flush()
    make_backup(tmp_path / "db", 1)
    (tmp_path / "db" / "aside").mkdir()
    (tmp_path / "db" / "aside" / "torn").write_text(TEXT)
    await store.delete([record.id])

    await store.erase()
    store.database.wipe()

    assert traces(tmp_path, [TEXT], [vectors(1)[0]]) == []


async def test_a_purge_that_fails_loses_nothing(
    store: JournaledStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = crowd(LARGE, Layer.ASSETS)
    await store.upsert(records, vectors(LARGE))
    await store.delete([records[0].id])

    async def fail(_: object) -> None:
        raise StoreError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("ourcli.memory.backends.erase.drop_old_versions", fail)
        with pytest.raises(StoreError):
            await store.erase()

    assert len(await store.fetch(Filter())) == LARGE - 1
    await store.erase()
    assert len(await store.fetch(Filter())) == LARGE - 1
