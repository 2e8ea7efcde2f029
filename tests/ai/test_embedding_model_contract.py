"""What every embedding model does: the fake and the real one alike."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ourcli.ai.ports import EmbeddingModel, PromptKind
from ourcli.testing.embedding import FakeEmbeddingModel
from tests.ai.embedding_models import open_minilm

PASSAGE = PromptKind.PASSAGE


@pytest.fixture(scope="module")
def real(minilm: Path) -> Iterator[EmbeddingModel]:
    model = open_minilm(minilm)
    yield model
    model.close()


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.models)])
def model(request: pytest.FixtureRequest) -> EmbeddingModel:
    if request.param == "fake":
        return FakeEmbeddingModel()
    found: EmbeddingModel = request.getfixturevalue("real")
    return found


ODD_TEXTS = ["", " ", "\0", "x", "🙂", "\u200b", "漢" * 2000, "x" * 1_000_000, "word " * 200_000, "\ufffd"]


@pytest.mark.parametrize("text", ODD_TEXTS, ids=lambda text: f"{text[:1]!r}-{len(text)}")
def test_every_text_has_a_unit_vector(model: EmbeddingModel, text: str) -> None:
    vectors = model.encode([text], PASSAGE)

    assert vectors.shape == (1, model.dims)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors[0]) == pytest.approx(1, abs=1e-5)


def test_no_texts_make_an_empty_matrix(model: EmbeddingModel) -> None:
    assert model.encode([], PASSAGE).shape == (0, model.dims)
    assert model.encode_tokens([], PASSAGE) == []


def test_a_text_beyond_the_limit_is_cut_at_it(model: EmbeddingModel) -> None:
    beyond, further = "cache " * 400, "cache " * 400 + "dogs run along the beach " * 100

    vectors = model.encode([beyond, further], PASSAGE)

    assert vectors[0] == pytest.approx(vectors[1], abs=1e-5)


def test_a_vector_does_not_depend_on_its_neighbours_in_the_batch(model: EmbeddingModel) -> None:
    texts = ["short", "a text of middling length about caches", "long " * 60, "tiny", "x"]

    together = model.encode(texts, PASSAGE)

    alone = np.stack([model.encode([text], PASSAGE)[0] for text in texts])
    assert together == pytest.approx(alone, abs=1e-4)


def test_texts_that_mean_the_same_are_nearer_than_others(model: EmbeddingModel) -> None:
    texts = [
        "We keep cache entries for fifteen minutes",
        "Entries of the cache are kept for fifteen minutes",
        "A dog runs along the beach",
    ]

    same, other, _ = model.encode(texts, PASSAGE)[0] @ model.encode(texts[1:] + texts[:1], PASSAGE).T

    assert same > 0.6
    assert other < 0.3


def test_token_vectors_are_unit_and_one_a_word(model: EmbeddingModel) -> None:
    two, three = model.encode_tokens(["cache entry", "keep the cache"], PASSAGE)

    assert two.shape == (2, model.dims)
    assert three.shape == (3, model.dims)
    assert np.linalg.norm(three, axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("kind", list(PromptKind))
def test_one_pass_gives_the_same_as_two(model: EmbeddingModel, kind: PromptKind) -> None:
    texts = ["short", "a text of middling length about caches", "long " * 300, "", "\0"]

    vectors, tokens = model.encode_both(texts, kind)

    assert vectors == pytest.approx(model.encode(texts, kind), abs=1e-5)
    for one, other in zip(tokens, model.encode_tokens(texts, kind), strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_no_texts_have_neither(model: EmbeddingModel) -> None:
    vectors, tokens = model.encode_both([], PASSAGE)

    assert (vectors.shape, tokens) == ((0, model.dims), [])


def test_a_text_without_words_still_has_a_token_vector(model: EmbeddingModel) -> None:
    (tokens,) = model.encode_tokens(["\0"], PASSAGE)

    assert len(tokens) >= 1


def test_the_digest_is_a_sha256(model: EmbeddingModel) -> None:
    assert len(bytes.fromhex(model.digest)) == 32
