"""The embedding service on fakes, and once on the real model."""

import threading
from collections.abc import Sequence
from pathlib import Path

import anyio
import numpy as np
import pytest
from anyio import CapacityLimiter

from ourcli.ai.embed import QUESTIONS, EmbeddingService
from ourcli.ai.ports import Matrix, PromptKind
from ourcli.common.errors import InvalidInputError, ModelError
from ourcli.testing.embedding import FakeEmbeddingCache, FakeEmbeddingModel
from tests.ai.embedding_models import open_minilm
from tests.promises import promise

pytestmark = pytest.mark.anyio


def service(model: FakeEmbeddingModel, cache: FakeEmbeddingCache | None = None) -> EmbeddingService:
    return EmbeddingService(model, cache or FakeEmbeddingCache(), limiter=CapacityLimiter(1))


@promise("ai.embed.odd-texts")
@pytest.mark.parametrize("text", ["", " ", "\n\t\u3000"])
async def test_an_empty_question_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="empty question"):
        await service(FakeEmbeddingModel()).embed_query(text)


async def test_an_empty_passage_is_named_and_nothing_is_embedded() -> None:
    model = FakeEmbeddingModel()

    with pytest.raises(InvalidInputError, match="text 2 of 3"):
        await service(model).embed_passages(["one", " ", "three"])

    assert model.calls == []


async def test_a_failing_model_is_an_error_of_the_call() -> None:
    model = FakeEmbeddingModel(error=ModelError("broken", hint="mend it"))

    with pytest.raises(ModelError, match="broken"):
        await service(model).embed_passages(["one"])


async def test_no_passages_make_an_empty_matrix() -> None:
    assert (await service(FakeEmbeddingModel(dims=8)).embed_passages([])).shape == (0, 8)


async def test_vectors_come_in_the_order_of_the_texts() -> None:
    model = FakeEmbeddingModel()
    texts = ["a much longer text than the others", "b", "some words", "a " * 5000]

    vectors = await service(model).embed_passages(texts)

    assert vectors == pytest.approx(model.encode(texts, PromptKind.PASSAGE))


async def test_equal_texts_are_embedded_once() -> None:
    model = FakeEmbeddingModel()

    vectors = await service(model).embed_passages(["same", "other", "same", "same"])

    assert sorted(text for call in model.calls for text in call) == ["other", "same"]
    assert vectors[0].tolist() == vectors[2].tolist() == vectors[3].tolist()


async def test_a_known_text_does_not_reach_the_model() -> None:
    model, cache = FakeEmbeddingModel(), FakeEmbeddingCache()
    first = await service(model, cache).embed_passages(["cache me"])
    model.calls.clear()

    second = await service(model, cache).embed_passages(["cache me"])

    assert model.calls == []
    assert second.tolist() == first.tolist()


async def test_a_question_and_a_passage_of_the_same_words_are_cached_apart() -> None:
    model, cache = FakeEmbeddingModel(), FakeEmbeddingCache()
    await service(model, cache).embed_passages(["cache me"])
    model.calls.clear()

    await service(model, cache).embed_query("cache me")

    assert model.calls == [("cache me",)]


async def test_two_models_do_not_share_cached_vectors() -> None:
    cache, other = FakeEmbeddingCache(), FakeEmbeddingModel(name="other")
    await service(FakeEmbeddingModel(), cache).embed_passages(["cache me"])

    await service(other, cache).embed_passages(["cache me"])

    assert other.calls == [("cache me",)]


async def test_a_cached_vector_of_another_length_is_not_used() -> None:
    model, cache = FakeEmbeddingModel(dims=8), FakeEmbeddingCache()
    cache.put(model.digest, PromptKind.PASSAGE, ["cache me"], np.ones((1, 5), dtype=np.float32))

    vectors = await service(model, cache).embed_passages(["cache me"])

    assert vectors.shape == (1, 8)


async def test_malformed_text_is_mended_before_model_and_cache_see_it() -> None:
    model = FakeEmbeddingModel()

    await service(model).embed_passages(["a\udcff"])

    assert model.calls == [("a\ufffd",)]


async def test_progress_counts_distinct_texts_up_to_the_end() -> None:
    seen: list[tuple[int, int]] = []

    await service(FakeEmbeddingModel()).embed_passages(
        ["same", "same", "x " * 4000, "y " * 4000], progress=lambda done, total: seen.append((done, total))
    )

    assert seen == [(1, 3), (2, 3), (3, 3)]


async def test_a_question_is_read_once_for_its_vector_and_its_tokens() -> None:
    model = FakeEmbeddingModel()
    embedder = service(model)

    vector = await embedder.embed_query("which cache?")
    tokens = await embedder.query_tokens("which cache?")

    assert model.calls == [("which cache?",)]
    assert vector == pytest.approx(model.encode(["which cache?"], PromptKind.QUERY)[0])
    assert tokens == pytest.approx(model.encode_tokens(["which cache?"], PromptKind.QUERY)[0])


async def test_only_the_last_questions_are_kept_in_memory() -> None:
    model = FakeEmbeddingModel()
    embedder = service(model)
    for number in range(QUESTIONS + 1):
        await embedder.query_tokens(f"question {number}")
    before = len(model.calls)

    await embedder.query_tokens(f"question {QUESTIONS}")
    await embedder.query_tokens("question 0")

    assert model.calls[before:] == [("question 0",)]


@pytest.mark.parametrize("text", ["", " "])
async def test_token_vectors_of_nothing_are_refused(text: str) -> None:
    model = FakeEmbeddingModel()
    embedder = service(model)

    with pytest.raises(InvalidInputError, match="empty question"):
        await embedder.query_tokens(text)
    with pytest.raises(InvalidInputError, match="text 1 of 1"):
        await embedder.passage_tokens([text])
    with pytest.raises(InvalidInputError, match="text 2 of 2"):
        await anext(embedder.embed_by_token(["x", text]))

    assert model.calls == []


async def test_vectors_and_tokens_come_slice_by_slice_and_fill_the_cache() -> None:
    model, cache = FakeEmbeddingModel(), FakeEmbeddingCache()
    texts = ["long " * 1000, "short", "of middling length"]

    slices = [one async for one in service(model, cache).embed_by_token(texts)]

    assert sorted(place for places, _, _ in slices for place in places) == [0, 1, 2]
    assert len(slices) == 2
    for places, vectors, tokens in slices:
        assert vectors == pytest.approx(model.encode([texts[place] for place in places], PromptKind.PASSAGE))
        assert len(tokens) == len(places)
    assert len(cache.get(model.digest, PromptKind.PASSAGE, texts)) == 3


class Gate(FakeEmbeddingModel):
    """Announce each call and wait for leave; note how many run at once."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.leave = threading.Event(), threading.Event()
        self.running, self.most = 0, 0

    def encode_both(self, texts: Sequence[str], kind: PromptKind) -> tuple[Matrix, list[Matrix]]:
        self.running += 1
        self.most = max(self.most, self.running)
        self.entered.set()
        self.leave.wait()
        both = super().encode_both(texts, kind)
        self.running -= 1
        return both


@promise("ai.embed.cancel")
async def test_a_cancel_stops_after_the_batch_in_work_and_what_was_done_before_is_kept() -> None:
    model, cache = FakeEmbeddingModel(), FakeEmbeddingCache()
    texts = [f"text {number} " * 500 for number in range(5)]

    with anyio.CancelScope() as scope:
        await service(model, cache).embed_passages(
            texts, progress=lambda done, _: scope.cancel() if done == 2 else None
        )

    assert scope.cancelled_caught
    assert len(model.calls) == 2
    assert len(cache.get(model.digest, PromptKind.PASSAGE, texts)) == 2


@promise("ai.embed.one-at-a-time")
async def test_tasks_take_turns_at_the_model() -> None:
    model = Gate()
    embedder = service(model)

    async with anyio.create_task_group() as tasks:
        for number in range(4):
            tasks.start_soon(embedder.embed_query, f"question {number}")
        await anyio.to_thread.run_sync(model.entered.wait)
        await anyio.wait_all_tasks_blocked()
        model.leave.set()

    assert model.most == 1
    assert len(model.calls) == 4


async def test_a_question_gets_through_between_the_batches_of_long_work() -> None:
    model = Gate()
    embedder = service(model)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(embedder.embed_passages, [f"text {number} " * 500 for number in range(5)])
        await anyio.to_thread.run_sync(model.entered.wait)
        tasks.start_soon(embedder.embed_query, "question")
        await anyio.wait_all_tasks_blocked()
        model.leave.set()

    assert ("question",) in model.calls[:3]


@pytest.mark.models
@promise("ai.embed.odd-texts")
@pytest.mark.parametrize(
    "text", ["x", "\0", "🙂", "\ud83d", "a\udcff\udcfe", "漢字", "word " * 200_000, "\u200b" * 1_000_000]
)
async def test_the_real_model_gives_odd_texts_a_unit_vector(minilm: Path, text: str) -> None:
    model = open_minilm(minilm)

    vector = await EmbeddingService(model, FakeEmbeddingCache(), limiter=CapacityLimiter(1)).embed_query(text)

    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    model.close()
