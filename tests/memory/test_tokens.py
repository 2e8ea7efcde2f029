"""Token vectors as they are kept: pooled, in four bits, and scored."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ourcli.memory.tokens import TokenKey, TokenVectors, compact, interactions, pool
from ourcli.memory.vectors import Matrix
from tests.promises import promise


def directions(count: int, seed: int = 0) -> Matrix:
    """Return random unit vectors, shape [count, 384]."""
    vectors = np.random.default_rng(seed).standard_normal((count, 384)).astype(np.float32)
    unit: Matrix = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def exact(question: Matrix, tokens: Matrix) -> float:
    return float(np.clip((question @ tokens.T).max(axis=1).mean(), 0, 1))


def test_no_texts_have_no_scores() -> None:
    assert interactions(directions(3), []) == []


def test_a_text_without_tokens_matches_nothing() -> None:
    nothing, something = compact(np.zeros((0, 384), dtype=np.float32)), compact(directions(3))
    assert interactions(directions(3), [nothing, something, nothing]) == pytest.approx([0, 1, 0], abs=0.02)
    assert interactions(directions(3), [nothing]) == [0.0]


def test_opposite_directions_score_zero_not_less() -> None:
    one = directions(1)
    assert interactions(one, [compact(-one)]) == [0.0]


def test_a_vector_of_zeros_does_no_harm() -> None:
    assert interactions(directions(2), [compact(np.zeros((2, 384), dtype=np.float32))]) == [0.0]


def test_the_score_is_the_mean_of_each_question_tokens_best_match() -> None:
    axes = np.eye(384, dtype=np.float32)
    between = np.zeros(384, dtype=np.float32)
    between[[1, 2]] = 0.6, 0.8
    assert interactions(axes[:2], [compact(np.stack([axes[0], between]))]) == pytest.approx([0.8], abs=0.01)


def test_every_text_is_scored_by_itself_whatever_stands_beside_it() -> None:
    texts = [compact(directions(count, seed=count)) for count in (1, 7, 30, 2)]
    question = directions(5, seed=99)
    alone = [interactions(question, [text])[0] for text in texts]
    assert interactions(question, texts) == pytest.approx(alone, abs=1e-6)


@promise("memory.tokens.compact")
@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_four_bits_a_number_cost_little_of_the_score(tokens: int, asked: int, seed: int) -> None:
    text, question = directions(tokens, seed), directions(asked, seed + 1)
    mixed = question + text[np.arange(asked) % tokens]
    near: Matrix = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    kept = compact(text)
    assert kept.codes.nbytes + kept.scales.nbytes <= tokens * 196
    assert interactions(near, [kept])[0] == pytest.approx(exact(near, text), abs=0.02)


def test_tokens_that_mean_nearly_the_same_become_one() -> None:
    one, other = directions(2)
    near = one + 0.01 * other
    near /= np.linalg.norm(near)
    pooled = pool(np.stack([one, other, near, one]))
    assert len(pooled) == 2
    assert pooled[0] @ one == pytest.approx(1, abs=1e-3)
    assert pooled[1] @ other == pytest.approx(1, abs=1e-3)
    assert np.linalg.norm(pooled, axis=1) == pytest.approx(1, abs=1e-5)


def test_the_key_changes_with_text_and_model_only() -> None:
    key = TokenKey.of("id", "text", "model")
    assert key == TokenKey.of("id", "text", "model")
    assert len({key.digest, TokenKey.of("id", "texts", "model").digest, TokenKey.of("id", "text", "m").digest}) == 3
    assert TokenKey.of("id", "\udcff", "model").digest
    assert TokenKey.of("other", "text", "model").digest == key.digest


def test_the_dimensions_are_known() -> None:
    assert compact(directions(2)).dims == 384
    assert TokenVectors(codes=np.zeros((0, 4), dtype=np.uint8), scales=np.zeros(0, dtype=np.float32)).dims == 8
