"""Late interaction on the fake and on the real model."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from anyio import CapacityLimiter

from ourcli.ai.ports import EmbeddingModel
from ourcli.ai.rerank import LateInteractionReranker, max_similarity
from ourcli.common.errors import InvalidInputError
from ourcli.testing.embedding import FakeEmbeddingModel
from tests.ai.embedding_models import open_minilm
from tests.promises import promise

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def real(minilm: Path) -> Iterator[EmbeddingModel]:
    model = open_minilm(minilm)
    yield model
    model.close()


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.models)])
def reranker(request: pytest.FixtureRequest) -> LateInteractionReranker:
    model = FakeEmbeddingModel() if request.param == "fake" else request.getfixturevalue("real")
    return LateInteractionReranker(model, limiter=CapacityLimiter(1))


async def test_an_empty_question_is_refused(reranker: LateInteractionReranker) -> None:
    with pytest.raises(InvalidInputError, match="empty question"):
        await reranker.score(" ", ["text"])


async def test_no_texts_have_no_scores(reranker: LateInteractionReranker) -> None:
    assert await reranker.score("question", []) == []


async def test_an_empty_text_scores_nothing(reranker: LateInteractionReranker) -> None:
    empty, same = await reranker.score("question", [" ", "question"])

    assert empty == 0
    assert same > 0.5


@promise("ai.rerank.late-interaction")
async def test_the_answer_scores_above_the_rest_in_any_order(reranker: LateInteractionReranker) -> None:
    answer = "We decided on a cache TTL of fifteen minutes."
    others = ["A dog runs along the beach.", "The violin concerto has three movements.", "x", "漢\udcff" * 3000]

    last = await reranker.score("what TTL did we decide for the cache?", [*others, answer])
    first = await reranker.score("what TTL did we decide for the cache?", [answer, *others])

    assert max(last) == last[-1]
    assert max(first) == first[0]
    assert last == pytest.approx([*first[1:], first[0]], abs=1e-4)
    assert all(0 <= score <= 1 for score in last)


def test_the_score_is_the_mean_of_each_question_tokens_best_match() -> None:
    question = np.eye(3, dtype=np.float32)[:2]
    text = np.array([[1, 0, 0], [0, 0.6, 0.8]], dtype=np.float32)

    assert max_similarity(question, text) == pytest.approx(0.8)


def test_opposite_directions_score_zero_not_less() -> None:
    one = np.array([[1, 0]], dtype=np.float32)

    assert max_similarity(one, -one) == 0
