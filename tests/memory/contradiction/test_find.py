"""What a new decision contradicts among those that are stored."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from anyio import CapacityLimiter

from ourcli.ai.embed import EmbeddingService
from ourcli.common.clock import SystemClock
from ourcli.common.errors import StoreError
from ourcli.common.events import DecisionContradicted
from ourcli.memory.backends.journaled_store import open_journaled
from ourcli.memory.contradiction.find import find_contradictions
from ourcli.memory.layers import Layer
from ourcli.memory.ports import RecordTables
from ourcli.memory.query import Filter
from ourcli.memory.record import DIMS, Record, Trust
from ourcli.memory.retrieval.pool import Leg
from ourcli.memory.service import MemoryService
from ourcli.memory.vectors import Vector
from ourcli.testing.embedding import FakeEmbeddingCache, FakeEmbeddingModel
from ourcli.testing.events import RecordingSink
from ourcli.testing.memory import FakeRecordStore
from tests.ai.embedding_models import open_minilm
from tests.promises import promise
from tests.support.records import NOON, a_record, axis

pytestmark = pytest.mark.anyio

OLD = "The cache TTL is 15 minutes."
NEW = "The cache TTL is 30 minutes."
LATER = NOON + timedelta(days=1)


@pytest.fixture(params=["fake", "journal"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RecordTables]:
    if request.param == "fake":
        yield FakeRecordStore()
    else:
        async with aclosing(await open_journaled(tmp_path / "db")) as opened:
            yield opened


def near() -> Vector:
    """Return a vector at 60 degrees to the first axis."""
    return np.asarray(0.5 * axis(0)[0] + np.sqrt(0.75) * axis(1)[0], dtype=np.float32)


async def contradicted(store: RecordTables, *older: Record, new: str = NEW, **changes: object) -> list[str]:
    """Store older records and return the ids of those that a new decision contradicts."""
    await store.upsert(older, axis(*(0 for _ in older)))
    record = a_record(new, ts=LATER, tags=("decision",), **changes)
    return [one.record_id for one in await find_contradictions(store, record, near())]


@promise("memory.contradiction.found")
async def test_an_older_decision_of_the_project_in_any_layer_is_found(store: RecordTables) -> None:
    older = [
        a_record(OLD, layer=Layer.INTERACT, tags=("decision",)),
        a_record(OLD, layer=Layer.INSIGHTS, ts=NOON + timedelta(hours=1)),
        a_record(OLD, layer=Layer.ASSETS, kind="summary", tags=("decision",), ts=NOON + timedelta(hours=2)),
    ]
    assert await contradicted(store, *older) == [one.id for one in reversed(older)]


@promise("memory.contradiction.precise")
async def test_chat_documents_other_projects_and_newer_records_are_no_older_decisions(store: RecordTables) -> None:
    others = [
        a_record(OLD, layer=Layer.INTERACT),
        a_record(OLD, layer=Layer.ASSETS, kind="document"),
        a_record(OLD, layer=Layer.INSIGHTS, trust=Trust.WEB),
        a_record(OLD, project="other"),
        a_record(OLD, ts=LATER + timedelta(seconds=1)),
    ]
    assert await contradicted(store, *others) == []


async def test_a_record_that_is_no_decision_contradicts_nothing(store: RecordTables) -> None:
    await store.upsert([a_record(OLD)], axis(0))
    chat = a_record(NEW, ts=LATER, layer=Layer.INTERACT)
    assert await find_contradictions(store, chat, near()) == ()


async def test_neither_the_record_itself_nor_what_it_was_made_from_counts(store: RecordTables) -> None:
    old, parent = a_record(OLD), a_record(OLD)
    assert await contradicted(store, old, parent, id=old.id, parents=(parent.id,)) == []


async def test_what_is_far_away_in_meaning_is_not_compared(store: RecordTables) -> None:
    await store.upsert([a_record(OLD)], axis(7))
    assert await find_contradictions(store, a_record(NEW, ts=LATER, tags=("decision",)), near()) == ()


@pytest.fixture
def embedder() -> EmbeddingService:
    return EmbeddingService(FakeEmbeddingModel(dims=DIMS), FakeEmbeddingCache(), limiter=CapacityLimiter(1))


@promise("memory.contradiction.told")
async def test_adding_tells_what_is_contradicted_and_keeps_both(embedder: EmbeddingService) -> None:
    sink = RecordingSink()
    memory = MemoryService(FakeRecordStore(), embedder, None, clock=SystemClock(), sink=sink)
    old, new = a_record(OLD), a_record(NEW, ts=LATER)
    await memory.add([old])
    stored = await memory.add([new])
    (found,) = stored.contradicts
    assert (found.id, found.record_id, found.text) == (new.id, old.id, OLD)
    assert stored.notices == (
        f"this contradicts {old.id}, {OLD!r}: it says 15 minutes where this says 30 minutes; both are kept",
    )
    assert [(one.record, one.older) for one in sink.events if isinstance(one, DecisionContradicted)] == [
        (new.id, old.id)
    ]
    assert (await memory.get(old.id)).text == OLD


class UnreadableStore(FakeRecordStore):
    """Can be written, not searched."""

    async def nearest(self, layer: Layer, vector: Vector, where: Filter, k: int) -> Leg:
        raise StoreError("the disk is gone")


async def test_what_is_stored_stays_acknowledged_when_nothing_can_be_compared(embedder: EmbeddingService) -> None:
    memory = MemoryService(UnreadableStore(), embedder, None, clock=SystemClock(), sink=RecordingSink())
    stored = await memory.add([a_record(NEW)])
    assert (len(stored.ids), stored.contradicts) == (1, ())


async def test_an_import_is_not_compared(embedder: EmbeddingService) -> None:
    memory = MemoryService(FakeRecordStore(), embedder, None, clock=SystemClock(), sink=RecordingSink())
    await memory.add([a_record(OLD)])
    given = await memory.add([a_record(NEW, ts=LATER)], {0: axis(0)[0]})
    many = await memory.add([a_record(f"{NEW} {number}", ts=LATER) for number in range(9)])
    assert given.contradicts == many.contradicts == ()


@promise("memory.contradiction.told")
@pytest.mark.models
async def test_with_the_real_embedder_a_contradiction_among_other_decisions_is_found(minilm: Path) -> None:
    model = open_minilm(minilm)
    real = EmbeddingService(model, FakeEmbeddingCache(), limiter=CapacityLimiter(1))
    memory = MemoryService(FakeRecordStore(), real, None, clock=SystemClock(), sink=RecordingSink())
    try:
        old = [OLD, "We use Postgres for billing.", "Deployments happen on Tuesdays.", "Maria owns the search service."]
        stored = await memory.add([a_record(text) for text in old])
        added = await memory.add([a_record("We raised the TTL of the cache to 30 minutes.", ts=LATER)])
    finally:
        model.close()
    assert [one.record_id for one in added.contradicts] == [stored.ids[0]]
