"""Features: what the legs and the candidates beside it say of each one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.memory.retrieval.features import FEATURES, features, normalised, share_of_best
from ourcli.memory.retrieval.pool import Pool
from tests.support.pools import a_candidate, a_pool, pools


def column(pool: Pool, name: str, question: str = "anything") -> list[float]:
    return [round(float(value), 3) for value in features(pool, question)[:, FEATURES.index(name)]]


@given(pools())
def test_every_feature_lies_between_0_and_1(pool: Pool) -> None:
    values = features(pool, "what did Ann say?")
    assert values.shape == (len(pool.ids), len(FEATURES))
    assert ((values >= 0) & (values <= 1)).all()


@given(st.lists(st.floats(-1e6, 1e6), max_size=20))
def test_normalised_scores_keep_their_order_and_lie_between_0_and_1(scores: list[float]) -> None:
    stretched = normalised(np.array(scores, dtype=np.float64))
    assert ((stretched >= 0) & (stretched <= 1)).all()
    assert (np.diff(stretched[np.argsort(scores, kind="stable")]) >= 0).all()


def test_words_are_a_share_of_the_best_and_nothing_where_none_was_found() -> None:
    assert share_of_best(np.array([4.0, 1.0, 0.0])).tolist() == [1.0, 0.25, 0.0]
    assert share_of_best(np.zeros(2)).tolist() == [0.0, 0.0]


def test_a_turn_hears_of_the_turns_beside_it_in_its_own_session() -> None:
    said = [a_candidate(f"s{turn}", (1.0, turn), 4.0 * (turn == 1), session="s", turn=turn) for turn in range(3)]
    elsewhere = a_candidate("t2", (0.5, 1.0), session="t", turn=2)
    pool = a_pool(*said, elsewhere, a_candidate("no turn", (0.0, 1.0), session="s"))
    assert column(pool, "previous_words") == [0.0, 0.0, 1.0, 0.0, 0.0]
    assert column(pool, "next_words") == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert column(pool, "next_vector")[0] == column(pool, "vector")[1]


def test_a_session_is_worth_the_mean_of_its_three_best_turns_and_its_best_one() -> None:
    bm25 = [9.0, 6.0, 3.0, 1.0]
    said = [a_candidate(f"s{turn}", (1.0,), score, session="s", turn=turn) for turn, score in enumerate(bm25)]
    alone = a_candidate("t0", (1.0,), 9.0, session="t", turn=0)
    pool = a_pool(*said, alone)
    assert column(pool, "session_words") == [0.667] * 4 + [0.333]
    assert column(pool, "session_best") == [1.0] * 5


def test_a_speaker_counts_where_the_question_names_them_whole() -> None:
    names = ("Ann", "Ann Lee", "", "Bob")
    pool = a_pool(*(a_candidate(name or "nobody", (1.0,), speaker=name) for name in names))
    assert column(pool, "speaker", "What did ANN say to Lee?") == [1.0, 1.0, 0.0, 0.0]
    assert column(pool, "speaker", "What did Annette say?") == [0.0] * 4


def test_a_candidate_is_worth_more_among_candidates_that_answer() -> None:
    good = [a_candidate(f"good {at}", (0.9, 0.1 * at), 5.0) for at in range(3)]
    lone = a_candidate("lone", (0.5, 0.0, 0.9), 0.5)
    friend = a_candidate("friend", (0.6, 0.2), 0.5)
    similar = column(a_pool(*good, lone, friend), "similar_words")
    assert similar[4] > similar[3]


def test_feedback_is_likeness_to_the_middle_of_the_three_best() -> None:
    best = [a_candidate(f"best {at}", (0.7, 0.7, 0.1 * at), 5.0) for at in range(3)]
    like = a_candidate("like them", (0.1, 0.9))
    unlike = a_candidate("unlike", (0.1, -0.9))
    feedback = column(a_pool(*best, like, unlike), "feedback")
    assert feedback[3] > feedback[4] == 0.0


def test_a_text_of_two_thousand_characters_is_as_long_as_any() -> None:
    chars = [1, 100, 2_000, 1_000_000]
    lengths = column(a_pool(*(a_candidate(str(count), (1.0,), chars=count) for count in chars)), "length")
    assert lengths == pytest.approx([0.091, 0.607, 1.0, 1.0], abs=2e-3)
