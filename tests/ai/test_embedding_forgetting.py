"""Forgetting in the embedding cache: in use, damaged, absent."""

from pathlib import Path

import numpy as np
import pytest

from ourcli.ai.backends.embedding_cache import SqliteEmbeddingCache
from ourcli.ai.backends.embedding_forgetting import EmbeddingForgetting
from ourcli.ai.ports import Matrix, PromptKind
from ourcli.common.clock import SystemClock
from ourcli.common.forgetting import Erasure
from tests.promises import promise
from tests.support.traces import traces

pytestmark = pytest.mark.anyio
WHAT = Erasure(ids=("a",), texts=("secret words",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "embeddings.sqlite"


def vector(seed: int) -> Matrix:
    return np.random.default_rng(seed).standard_normal((1, 384)).astype(np.float32)


def written(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def files(path: Path) -> list[Path]:
    return sorted(path.parent.glob("*"))


async def test_no_cache_holds_nothing(path: Path) -> None:
    place = EmbeddingForgetting(path)

    assert await place.erase(WHAT) == 0
    await place.wipe()
    assert files(path) == []


async def test_a_damaged_cache_goes_as_a_whole(path: Path) -> None:
    written(path, b"no database" * 1000)

    assert await EmbeddingForgetting(path).erase(WHAT) == 0
    assert files(path) == []


async def test_a_cache_that_was_moved_aside_goes_with_the_wipe(path: Path) -> None:
    written(path.with_name("embeddings.sqlite.damaged"), b"old vectors")

    await EmbeddingForgetting(path).wipe()

    assert files(path) == []


@promise("memory.forget.caches")
async def test_a_text_is_forgotten_as_a_question_and_as_a_passage_while_the_cache_is_open(path: Path) -> None:
    cache = SqliteEmbeddingCache(path, clock=SystemClock())
    cache.put("model", PromptKind.QUERY, ["secret words"], vector(1))
    cache.put("other", PromptKind.PASSAGE, ["secret words"], vector(2))
    cache.put("model", PromptKind.PASSAGE, ["kept"], vector(3))
    place = EmbeddingForgetting(path)

    gone = await place.erase(WHAT)
    await place.wipe()

    assert gone == 2
    assert traces(path.parent, [], [vector(1)[0], vector(2)[0]]) == []
    assert cache.get("model", PromptKind.QUERY, ["secret words"]) == {}
    assert np.array_equal(cache.get("model", PromptKind.PASSAGE, ["kept"])[0], vector(3)[0])
    cache.close()
