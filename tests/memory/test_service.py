"""The memory service over the fake store and the fake embedder: what it refuses, and what it reports."""

from dataclasses import replace

import numpy as np
import pytest
from anyio import CapacityLimiter

from ourcli.ai.embed import EmbeddingService
from ourcli.common.clock import SystemClock
from ourcli.common.errors import InvalidInputError, StoreError, StoreMismatchError
from ourcli.common.events import MemorySearched, RecordsStored
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter, Query
from ourcli.memory.record import DIMS
from ourcli.memory.service import MemoryService
from ourcli.testing.embedding import FakeEmbeddingCache, FakeEmbeddingModel
from ourcli.testing.events import RecordingSink
from ourcli.testing.memory import FakeRecordStore
from tests.promises import promise
from tests.support.records import a_record, axis

pytestmark = pytest.mark.anyio


@pytest.fixture
def store() -> FakeRecordStore:
    return FakeRecordStore()


@pytest.fixture
def sink() -> RecordingSink:
    return RecordingSink()


@pytest.fixture
def embedder() -> EmbeddingService:
    return EmbeddingService(FakeEmbeddingModel(dims=DIMS), FakeEmbeddingCache(), limiter=CapacityLimiter(1))


@pytest.fixture
def memory(store: FakeRecordStore, embedder: EmbeddingService, sink: RecordingSink) -> MemoryService:
    return MemoryService(store, embedder, None, clock=SystemClock(), sink=sink)


@promise("memory.builder")
async def test_a_search_said_step_by_step_is_awaited(memory: MemoryService) -> None:
    wanted = a_record("the linker fails on macOS", project="proj42", tags=("build",))
    await memory.add([wanted, a_record("the linker fails on macOS", project="other")])
    search = memory.search("how to fix linkage error of the linker").with_layers([Layer.INSIGHTS, Layer.ASSETS])
    result = await search.with_project("proj42").with_tags("build").top_k(200).rerank(32)
    assert [hit.record.id for hit in result.hits] == [wanted.id]
    assert result.timing_ms.total > 0


async def test_every_word_of_the_builder_reaches_the_query(memory: MemoryService) -> None:
    built = memory.search("x", k=3).with_kind("code").with_session("s").top_k(7).limit(2)
    assert built.query == Query(text="x", filter=Filter(kind="code", session="s"), candidates=7, limit=2)


@promise("memory.search.card")
async def test_a_hit_says_why_it_stands_where_it_stands(memory: MemoryService) -> None:
    await memory.add([a_record("a cache with a TTL"), a_record("a bakery with a cat")])
    best = (await memory.search("cache TTL")).hits[0]
    assert best.record.text == "a cache with a TTL"
    assert (best.card.vector.rank, best.card.text.rank) == (1, 1)
    assert best.card.fused == pytest.approx(sum(best.card.features.values()))
    assert best.score == pytest.approx(best.card.fused * best.card.layer_weight * best.card.recency)
    assert best.card.kept == "place 1 of the best 10"


async def test_stored_and_searched_is_reported_without_any_text(memory: MemoryService, sink: RecordingSink) -> None:
    record = a_record("secret words")
    await memory.insert(record)
    await memory.search("secret")
    kinds = [type(event) for event in sink.events]
    assert kinds == [RecordsStored, MemorySearched]
    assert "secret" not in repr(sink.events)


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
async def test_a_record_without_text_is_refused_and_nothing_is_stored(
    memory: MemoryService, store: FakeRecordStore, text: str
) -> None:
    with pytest.raises(InvalidInputError, match="no text"):
        await memory.add([a_record("fine"), a_record(text)])
    assert store.rows == {}


@pytest.mark.parametrize("text", ["", "  "])
async def test_an_empty_search_is_refused(memory: MemoryService, text: str) -> None:
    with pytest.raises(InvalidInputError, match="search is empty"):
        await memory.search(text)


async def test_lone_surrogates_are_replaced_and_doubled_tags_folded(memory: MemoryService) -> None:
    record = a_record("bad \ud800 text", tags=("a", "b", "a"))
    await memory.add([record])
    stored = await memory.get(record.id)
    assert (stored.text, stored.tags) == ("bad ? text", ("a", "b"))


@pytest.mark.parametrize(
    "vector", [np.zeros(DIMS), np.full(DIMS, np.nan), np.full(DIMS, np.inf), np.ones(DIMS - 1), np.ones((2, DIMS))]
)
async def test_a_given_vector_that_points_nowhere_is_refused(memory: MemoryService, vector: np.ndarray) -> None:
    with pytest.raises(InvalidInputError, match="384 finite numbers"):
        await memory.add([a_record("x")], {0: vector.astype(np.float32)})


async def test_a_given_vector_is_normalised_and_used(memory: MemoryService, store: FakeRecordStore) -> None:
    record = a_record("x")
    await memory.add([record], {0: 5 * axis(7)[0]})
    assert store.rows[record.id][1].tolist() == axis(7)[0].tolist()


@promise("memory.store.model-known")
async def test_a_store_of_another_embedding_model_is_refused_for_search_and_add_but_can_be_read(
    memory: MemoryService, store: FakeRecordStore
) -> None:
    record = a_record("x")
    await memory.add([record])
    store.model = "another model"
    other = MemoryService(store, memory._embedder, None, clock=SystemClock(), sink=RecordingSink())
    with pytest.raises(StoreMismatchError, match="another embedding model") as caught:
        await other.search("x")
    assert "reembed" in caught.value.hint
    with pytest.raises(StoreMismatchError):
        await other.add([a_record("y")])
    assert (await other.get(record.id)).text == "x"


@promise("memory.reembed")
async def test_embedding_again_replaces_only_what_another_model_made(
    store: FakeRecordStore, embedder: EmbeddingService, sink: RecordingSink
) -> None:
    stale = replace(a_record("written by another"), model="old")
    await store.upsert([stale], axis(0))
    store.model = "old"
    memory = MemoryService(store, embedder, None, clock=SystemClock(), sink=sink)
    assert [done async for done in memory.reembed()] == [1]
    assert [done async for done in memory.reembed()] == []
    assert store.rows[stale.id][0].model == embedder.digest
    assert (await memory.search("written")).hits[0].record.id == stale.id


async def test_a_store_that_cannot_write_is_an_error_and_nothing_is_reported(
    memory: MemoryService, store: FakeRecordStore, sink: RecordingSink
) -> None:
    store.failure = "disk full"
    with pytest.raises(StoreError, match="disk full"):
        await memory.add([a_record("x")])
    assert sink.events == []
