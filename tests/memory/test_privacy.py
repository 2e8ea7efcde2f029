"""What the memory service stores of a text with a secret: nothing of it, in the text, the context or the vector."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from anyio import CapacityLimiter

from ourcli.ai.embed import EmbeddingService
from ourcli.common.clock import SystemClock
from ourcli.common.errors import StoreError
from ourcli.common.events import NullSink
from ourcli.memory.ports import Redacted
from ourcli.memory.service import MemoryService
from ourcli.memory.stored import Redaction, told
from ourcli.testing.embedding import FakeEmbeddingCache, FakeEmbeddingModel
from ourcli.testing.memory import FakeRecordStore
from ourcli.testing.secrets import A_SECRET, FakeRedactor
from tests.promises import promise
from tests.support.records import a_record, axis

pytestmark = pytest.mark.anyio
CLEAN = "the key is [secret: aws-access-key]"


@pytest.fixture
def store() -> FakeRecordStore:
    return FakeRecordStore()


@pytest.fixture
def model() -> FakeEmbeddingModel:
    return FakeEmbeddingModel()


@pytest.fixture
def memory(store: FakeRecordStore, model: FakeEmbeddingModel) -> MemoryService:
    embedder = EmbeddingService(model, FakeEmbeddingCache(), limiter=CapacityLimiter(1))
    return MemoryService(store, embedder, None, clock=SystemClock(), sink=NullSink(), redactor=FakeRedactor())


class _BrokenRedactor(FakeRedactor):
    async def redact(self, texts: Sequence[str]) -> list[Redacted]:
        raise StoreError("the detector of secrets cannot run here")


async def test_nothing_is_stored_when_secrets_cannot_be_looked_for(
    store: FakeRecordStore, model: FakeEmbeddingModel
) -> None:
    embedder = EmbeddingService(model, FakeEmbeddingCache(), limiter=CapacityLimiter(1))
    memory = MemoryService(store, embedder, None, clock=SystemClock(), sink=NullSink(), redactor=_BrokenRedactor())

    with pytest.raises(StoreError):
        await memory.add([a_record("harmless")])

    assert store.rows == {}


@promise("memory.privacy.before-storing")
async def test_a_secret_is_replaced_before_the_text_is_embedded_and_stored(
    memory: MemoryService, store: FakeRecordStore, model: FakeEmbeddingModel
) -> None:
    plain, telling = a_record("harmless"), a_record(f"the key is {A_SECRET}")
    in_context = replace(a_record("what he said"), context=f"Ann: take {A_SECRET}")

    stored = await memory.add([plain, telling, in_context])

    assert stored.redacted == (
        Redaction(id=telling.id, kinds=("aws-access-key",)),
        Redaction(id=in_context.id, kinds=("aws-access-key",)),
    )
    assert store.rows[plain.id][0].text == "harmless"
    assert store.rows[telling.id][0].text == CLEAN
    assert store.rows[in_context.id][0].context == "Ann: take [secret: aws-access-key]"
    assert not any(A_SECRET in text for call in model.calls for text in call)


@promise("memory.privacy.before-storing")
async def test_a_vector_that_came_with_a_secret_is_made_anew(memory: MemoryService, store: FakeRecordStore) -> None:
    telling, plain = a_record(f"the key is {A_SECRET}"), a_record("harmless")
    given = axis(3)[0]

    await memory.add([telling, plain], {0: given, 1: given})

    assert not np.allclose(store.rows[telling.id][1], given)
    assert np.allclose(store.rows[plain.id][1], given)


@promise("memory.privacy.override")
async def test_a_secret_is_stored_when_it_is_allowed(memory: MemoryService, store: FakeRecordStore) -> None:
    record = a_record(f"the key is {A_SECRET}")

    stored = await memory.add([record], allow_secrets=True)

    assert stored.redacted == ()
    assert store.rows[record.id][0].text == record.text


def test_what_is_told_names_kinds_once_and_how_to_override() -> None:
    one = Redaction(id="0190-1", kinds=("jwt", "password"))

    assert told([]) == ()
    assert told([one]) == (
        "replaced before storing, in record 0190-1: jwt, password; --allow-secrets stores texts as they are",
    )
    assert "in 2 records: jwt, password;" in told([one, one])[0]
