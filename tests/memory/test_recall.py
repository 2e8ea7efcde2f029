"""The search pipeline: what one leg cannot do, the search cannot; what is gone meanwhile is not shown."""

import numpy as np
import pytest

from ourcli.common.clock import SystemClock
from ourcli.common.errors import StoreError
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter, Query
from ourcli.memory.recall import Recall
from ourcli.memory.record import Record
from ourcli.memory.retrieval.pool import Leg
from ourcli.memory.vectors import Matrix, Vector
from ourcli.testing.memory import FakeRecordStore
from tests.promises import promise
from tests.support.records import a_record, axis

pytestmark = pytest.mark.anyio


class FirstAxis:
    """Embeds everything as the first axis."""

    digest = "axis"

    async def embed_query(self, text: str) -> Vector:
        del text
        return np.asarray(axis(0)[0])

    async def embed_passages(self, texts: object) -> Matrix:
        raise NotImplementedError(texts)


class ShakyStore(FakeRecordStore):
    """Fails in one layer, or loses or moves a record between finding and reading it."""

    broken: Layer | None = None
    lost: str = ""
    moved: Record | None = None

    async def matching(self, layer: Layer, text: str, where: Filter, k: int) -> Leg:
        if layer is self.broken:
            raise StoreError(f"cannot search {layer}")
        return await super().matching(layer, text, where, k)

    async def fetch(self, where: Filter, *, limit: int | None = None) -> list[Record]:
        self.rows.pop(self.lost, None)
        if self.moved:
            self.rows[self.moved.id] = (self.moved, axis(0)[0])
        return await super().fetch(where, limit=limit)


async def found(store: ShakyStore, where: Filter | None = None) -> list[Record]:
    recall = Recall(store, FirstAxis(), None, SystemClock())
    return [hit.record for hit in (await recall.run(Query(text="cache", filter=where or Filter()))).hits]


@promise("memory.search.whole-or-error")
@pytest.mark.parametrize("layer", list(Layer))
async def test_a_layer_that_cannot_be_searched_is_an_error_of_the_search(layer: Layer) -> None:
    store = ShakyStore()
    await store.upsert([a_record("a cache")], axis(0))
    store.broken = layer
    with pytest.raises(StoreError, match=f"cannot search {layer}"):
        await found(store)


async def test_a_record_that_is_deleted_before_it_is_read_is_left_out() -> None:
    store, kept, gone = ShakyStore(), a_record("a cache"), a_record("another cache")
    await store.upsert([kept, gone], axis(0, 1))
    store.lost = gone.id
    assert await found(store) == [kept]


async def test_a_record_that_is_moved_before_it_is_read_is_found_in_its_new_layer() -> None:
    store, before = ShakyStore(), a_record("a cache", layer=Layer.INTERACT)
    await store.upsert([before], axis(0))
    store.moved = a_record("a cache", id=before.id, layer=Layer.ASSETS)
    assert await found(store) == [store.moved]


async def test_a_record_that_leaves_the_project_before_it_is_read_is_not_shown() -> None:
    store, before = ShakyStore(), a_record("a cache", project="mine")
    await store.upsert([before], axis(0))
    store.moved = a_record("a cache", id=before.id, project="other")
    assert await found(store, Filter(project="mine")) == []
