"""The reranker with a model of its own, on the fake and on the tiny Qwen3: what is judged, and until when."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from anyio import CapacityLimiter

from ourcli.ai.backends.onnx_reranker import OnnxReranker
from ourcli.ai.ports import PairModel
from ourcli.ai.rerank import PairReranker
from ourcli.common.clock import SystemClock
from ourcli.common.errors import InvalidInputError, ModelError
from ourcli.testing.clock import FrozenClock
from ourcli.testing.reranking import FakePairModel
from tests.ai.reranker_models import reranker_spec
from tests.promises import promise

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(params=["fake", "qwen3"])
def model(request: pytest.FixtureRequest) -> Iterator[PairModel]:
    made: PairModel = FakePairModel() if request.param == "fake" else OnnxReranker(reranker_spec(), threads=1)
    yield made
    made.close()


@pytest.fixture
def reranker(model: PairModel) -> PairReranker:
    return PairReranker(model, limiter=CapacityLimiter(1), clock=SystemClock())


async def test_an_empty_question_is_refused(reranker: PairReranker) -> None:
    with pytest.raises(InvalidInputError, match="empty question"):
        await reranker.score(" ", ["text"], deadline_s=math.inf)


async def test_no_texts_have_no_scores(reranker: PairReranker) -> None:
    assert await reranker.score("question", [], deadline_s=math.inf) == []


async def test_an_empty_text_is_not_asked_for_and_scores_nothing(reranker: PairReranker) -> None:
    empty, filled = await reranker.score("question", [" \n", "the question"], deadline_s=math.inf)
    assert empty == 0.0
    assert filled is not None
    assert 0 < filled <= 1


@pytest.mark.parametrize(
    "text", ["x", "\0", "🙂", "\ud83d", "a\udcff", "漢" * 3000, "x" * 1_000_000, "word " * 200_000]
)
async def test_every_text_has_a_score(reranker: PairReranker, text: str) -> None:
    (score,) = await reranker.score(f"is {text} it?", [text], deadline_s=math.inf)
    assert score is not None
    assert 0 <= score <= 1


async def test_a_score_depends_on_its_own_text_only(reranker: PairReranker) -> None:
    texts = ["the cache", "", "a long story about the cache and its entries. " * 60, "x", "no cache, yes?"]
    together = await reranker.score("what about the cache?", texts, deadline_s=math.inf)
    alone = [(await reranker.score("what about the cache?", [text], deadline_s=math.inf))[0] for text in texts]
    assert together == pytest.approx(alone, abs=1e-5)


@promise("ai.rerank.deadline")
async def test_a_deadline_that_has_passed_judges_nothing(reranker: PairReranker) -> None:
    assert await reranker.score("question", ["one", "", "three"], deadline_s=-math.inf) == [None, 0.0, None]


class SlowModel(FakePairModel):
    """Take a second for each text, on the given clock."""

    def __init__(self, clock: FrozenClock) -> None:
        super().__init__()
        self.clock = clock

    def relevances(self, query: str, texts: Sequence[str]) -> list[float]:
        self.clock.advance(timedelta(seconds=len(texts)))
        return super().relevances(query, texts)


@promise("ai.rerank.deadline")
async def test_the_best_candidates_are_judged_until_the_next_slice_would_be_late() -> None:
    clock = FrozenClock(NOON)
    slow = PairReranker(SlowModel(clock), limiter=CapacityLimiter(1), clock=clock)
    scores = await slow.score("word", ["word " * 500] * 4, deadline_s=2.9)
    assert scores == [1.0, 1.0, None, None]
    assert clock.monotonic_s() == 2


async def test_an_error_of_the_model_comes_through() -> None:
    broken = FakePairModel(error=ModelError("it failed"))
    with pytest.raises(ModelError, match="it failed"):
        await PairReranker(broken, limiter=CapacityLimiter(1), clock=SystemClock()).score("q", ["t"], deadline_s=1e9)
