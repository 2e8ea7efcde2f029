"""Late interaction over stored token vectors, on the fake and on the real model; its deadline; what `add` stores."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from anyio import CapacityLimiter

from ourcli.ai.embed import EmbeddingService
from ourcli.ai.ports import EmbeddingModel, Matrix, PromptKind
from ourcli.common.clock import SystemClock
from ourcli.common.errors import InvalidInputError
from ourcli.memory.interaction import LateInteraction
from ourcli.memory.layers import Layer
from ourcli.memory.ports import Passage
from ourcli.memory.retrieval.rerank import NOT_IN_TIME
from ourcli.memory.service import MemoryService
from ourcli.testing.clock import FrozenClock
from ourcli.testing.embedding import FakeEmbeddingCache, FakeEmbeddingModel
from ourcli.testing.events import RecordingSink
from ourcli.testing.memory import FakeRecordStore
from ourcli.testing.tokens import FakeTokenStore
from tests.ai.embedding_models import open_minilm
from tests.promises import promise
from tests.support.records import NOON, a_record

pytestmark = pytest.mark.anyio


def a_service(model: EmbeddingModel) -> EmbeddingService:
    return EmbeddingService(model, FakeEmbeddingCache(), limiter=CapacityLimiter(1))


def passages(*texts: str) -> list[Passage]:
    return [Passage(id=str(number), text=text) for number, text in enumerate(texts)]


@pytest.fixture(scope="module")
def real(minilm: Path) -> Iterator[EmbeddingModel]:
    model = open_minilm(minilm)
    yield model
    model.close()


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.models)])
def reranker(request: pytest.FixtureRequest) -> LateInteraction:
    model = FakeEmbeddingModel() if request.param == "fake" else request.getfixturevalue("real")
    return LateInteraction(a_service(model), FakeTokenStore(), SystemClock())


async def test_an_empty_question_is_refused(reranker: LateInteraction) -> None:
    with pytest.raises(InvalidInputError, match="empty question"):
        await reranker.score(" ", passages("text"), deadline_s=math.inf)


async def test_no_passages_have_no_scores(reranker: LateInteraction) -> None:
    assert await reranker.score("question", [], deadline_s=math.inf) == []


async def test_an_empty_text_scores_nothing(reranker: LateInteraction) -> None:
    empty, same = await reranker.score("question", passages(" ", "question"), deadline_s=math.inf)
    assert empty == 0
    assert same is not None
    assert same > 0.5


@promise("ai.rerank.late-interaction")
async def test_the_answer_scores_above_the_rest_in_any_order_stored_or_not(reranker: LateInteraction) -> None:
    answer = Passage(id="answer", text="We decided on a cache TTL of fifteen minutes.")
    others = passages("A dog runs along the beach.", "The violin concerto has three movements.", "x", "漢\udcff" * 3000)
    question = "what TTL did we decide for the cache?"
    made = await reranker.score(question, [*others, answer], deadline_s=math.inf)
    stored = await reranker.score(question, [answer, *others], deadline_s=math.inf)
    assert all(score is not None and 0 <= score <= 1 for score in made)
    scores = np.array(made, dtype=np.float64)
    assert scores.argmax() == 4
    assert scores == pytest.approx(np.roll(np.array(stored, dtype=np.float64), -1), abs=1e-4)


@pytest.mark.models
@promise("memory.tokens.compact")
async def test_kept_vectors_score_as_whole_ones_do(real: EmbeddingModel) -> None:
    texts = [
        "We decided on a cache TTL of fifteen minutes, because entries that live longer were stale too often.",
        "def cache(key, value, ttl=900):\n    entries[key] = (value, now() + ttl)\n    return entries[key]",
        "The cache is warm when the service starts: a job reads the hundred most popular entries first.",
    ]
    question = "what TTL did we decide for the cache?"
    asked = real.encode_tokens([question], PromptKind.QUERY)[0]
    whole = [(asked @ tokens.T).max(axis=1).mean() for tokens in real.encode_tokens(texts, PromptKind.PASSAGE)]
    reranker = LateInteraction(a_service(real), FakeTokenStore(), SystemClock())
    assert await reranker.score(question, passages(*texts), deadline_s=math.inf) == pytest.approx(whole, abs=0.03)


class SlowModel(FakeEmbeddingModel):
    """Take a second for each text, on the given clock."""

    def __init__(self, clock: FrozenClock) -> None:
        super().__init__()
        self.clock = clock

    def encode_tokens(self, texts: Sequence[str], kind: PromptKind) -> list[Matrix]:
        if kind is PromptKind.PASSAGE:
            self.clock.advance(timedelta(seconds=len(texts)))
        return super().encode_tokens(texts, kind)


LONG = tuple(f"number {number} " * 200 for number in range(5))


@promise("ai.rerank.deadline")
async def test_what_cannot_be_made_in_time_has_no_score_and_the_next_time_goes_on() -> None:
    clock = FrozenClock(NOON)
    reranker = LateInteraction(a_service(SlowModel(clock)), FakeTokenStore(), clock)
    first = await reranker.score("number", passages(*LONG), deadline_s=2.5)
    second = await reranker.score("number", passages(*LONG), deadline_s=clock.monotonic_s() + 2.5)
    assert [score is not None for score in first] == [True, True, False, False, False]
    assert [score is not None for score in second] == [True, True, True, True, False]
    assert clock.monotonic_s() == 4


@promise("ai.rerank.deadline")
@pytest.mark.parametrize("deadline_s", [-1.0, 0.0])
async def test_a_deadline_that_has_passed_runs_nothing(deadline_s: float) -> None:
    model = FakeEmbeddingModel()
    reranker = LateInteraction(a_service(model), FakeTokenStore(), FrozenClock(NOON))
    assert await reranker.score("question", passages("one", "two"), deadline_s=deadline_s) == [None, None]
    assert model.calls == []


async def test_one_slow_run_does_not_stop_later_questions_from_trying() -> None:
    clock = FrozenClock(NOON)
    model = SlowModel(clock)
    reranker = LateInteraction(a_service(model), FakeTokenStore(), clock)
    await reranker.score("number", passages(LONG[0]), deadline_s=0.5)
    (score,) = await reranker.score("number", [Passage(id="new", text=LONG[1])], deadline_s=clock.monotonic_s() + 0.5)
    assert score is not None


def a_memory(model: FakeEmbeddingModel, tokens: FakeTokenStore, *, rerank_s: float = math.inf) -> MemoryService:
    embedder = a_service(model)
    interaction = LateInteraction(embedder, tokens, SystemClock())
    return MemoryService(
        FakeRecordStore(),
        embedder,
        interaction,
        clock=SystemClock(),
        sink=RecordingSink(),
        interaction=interaction,
        rerank_s=rerank_s,
    )


@promise("memory.tokens.when-added")
async def test_short_lived_layers_get_token_vectors_with_their_vector_and_assets_when_reranked() -> None:
    model, tokens = FakeEmbeddingModel(), FakeTokenStore()
    memory = a_memory(model, tokens)
    records = [a_record(f"the cache of {layer.value}", layer=layer) for layer in Layer]
    await memory.add(records)
    added = set(tokens.rows)
    passes = [text for call in model.calls for text in call]
    result = await memory.search("the cache").with_project(None)
    assert added == {record.id for record in records if record.layer is not Layer.ASSETS}
    assert sorted(passes) == sorted(record.text for record in records)
    assert all(hit.card.rerank is not None for hit in result.hits)
    assert {record_id: row[2] for record_id, row in tokens.rows.items()} == {
        record.id: record.layer is not Layer.ASSETS for record in records
    }


@promise("memory.tokens.when-added")
async def test_a_stored_record_is_not_read_by_the_model_again() -> None:
    model = FakeEmbeddingModel()
    memory = a_memory(model, FakeTokenStore())
    await memory.add([a_record("the cache is warm")])
    before = len(model.calls)
    await memory.search("which cache?")
    assert model.calls[before:] == [("which cache?",)]


@promise("memory.tokens.fresh")
async def test_a_moved_record_keeps_its_vectors_and_a_changed_one_gets_new_ones() -> None:
    model, tokens = FakeEmbeddingModel(), FakeTokenStore()
    memory = a_memory(model, tokens)
    record = a_record("the cache is warm", layer=Layer.INTERACT)
    await memory.add([record])
    digest, vectors, _ = tokens.rows[record.id]
    memory._store.rows[record.id] = (replace(record, layer=Layer.ASSETS), memory._store.rows[record.id][1])  # type: ignore[attr-defined]
    await memory.search("which cache?")
    kept = tokens.rows[record.id]
    await memory.add([replace(record, text="the cache is cold")])
    assert (kept[0], kept[1]) == (digest, vectors)
    assert tokens.rows[record.id][0] != digest


async def test_records_with_a_given_vector_wait_for_their_first_rerank() -> None:
    model, tokens = FakeEmbeddingModel(), FakeTokenStore()
    memory = a_memory(model, tokens)
    (vector,) = model.encode(["the cache is warm"], PromptKind.PASSAGE)
    await memory.add([a_record("the cache is warm")], {0: vector})
    before = dict(tokens.rows)
    (hit,) = (await memory.search("which cache?")).hits
    assert before == {}
    assert hit.card.rerank is not None


@promise("memory.search.rerank-in-time")
async def test_without_time_the_first_ranking_stands_and_the_cards_say_so() -> None:
    model = FakeEmbeddingModel()
    hurried, patient = a_memory(model, FakeTokenStore(), rerank_s=0.0), a_memory(model, FakeTokenStore())
    records = [a_record(f"cache number {number}") for number in range(4)]
    await hurried.add(records)
    await patient.add(records)
    first = (await patient.search("cache").rerank(0)).hits
    unjudged = (await hurried.search("cache")).hits
    assert [hit.record.id for hit in unjudged] == [hit.record.id for hit in first]
    assert [hit.score for hit in unjudged] == pytest.approx([hit.score for hit in first])
    assert all(hit.card.rerank is None and NOT_IN_TIME in hit.card.kept for hit in unjudged)
