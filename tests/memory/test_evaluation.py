"""Metrics against hand-worked values."""

import math

import pytest

from ourcli.memory.evaluation import mean, measure, ndcg, percentile, recall, reciprocal_rank, session_recall


def test_recall_is_the_share_of_the_relevant_among_the_first_k() -> None:
    assert recall(["a", "x", "b"], {"a": 1, "b": 2, "c": 1, "d": 0}, 3) == pytest.approx(2 / 3)
    assert recall(["x"], {"a": 0}, 1) == 0.0


def test_ndcg_uses_gain_2_to_the_grade_minus_1_and_log2_discount() -> None:
    gained = 1 / math.log2(2) + 3 / math.log2(3)
    ideal = 3 / math.log2(2) + 1 / math.log2(3)
    assert ndcg(["a", "b"], {"a": 1, "b": 2}, 10) == pytest.approx(gained / ideal)
    assert ndcg(["b", "a"], {"a": 1, "b": 2}, 10) == pytest.approx(1.0)


def test_constant_scores_do_not_look_perfect() -> None:
    ranking = [str(place) for place in range(100)]
    assert reciprocal_rank(ranking, {"57": 1}, 10) == 0.0
    assert reciprocal_rank(ranking, {"4": 1}, 10) == pytest.approx(0.2)


def test_sessions_count_once_in_the_order_they_are_first_seen() -> None:
    sessions = {"a1": "A", "a2": "A", "b1": "B", "c1": "C"}
    assert session_recall(["a1", "a2", "b1"], {"b1": 1, "c1": 1}, sessions, 2) == pytest.approx(0.5)


def test_session_recall_is_left_out_where_there_are_no_sessions() -> None:
    assert "session_recall@10" not in measure(["a"], {"a": 1}, {})
    assert measure(["a"], {"a": 1}, {"a": "A"})["session_recall@10"] == 1.0


def test_means_and_percentiles() -> None:
    assert mean([{"x": 1.0}, {"x": 3.0}]) == {"x": 2.0}
    assert mean([]) == {}
    assert [percentile([3, 1, 2, 4], share) for share in (0.0, 0.5, 0.95, 1.0)] == [1, 2, 4, 4]
    assert percentile([], 0.5) == 0.0
