"""Mixing a reranker's word into the first ranking."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.memory.query import Hit, LegScore, ScoreCard
from ourcli.memory.retrieval.rerank import NOT_IN_TIME, mix
from tests.promises import promise
from tests.support.records import a_record


def a_hit(name: str, score: float, *, model: str = "") -> Hit:
    leg = LegScore(rank=None, score=0.0)
    card = ScoreCard(
        vector=leg, text=leg, fused=score, layer_weight=1.0, recency=1.0, rerank=None, kept="", model=model
    )
    return Hit(record=a_record(name), score=score, card=card)


def names(hits: list[Hit]) -> str:
    return "".join(hit.record.text for hit in hits)


def test_mixing_nothing_gives_nothing() -> None:
    assert mix([], []) == []


@promise("memory.search.rerank-mixed")
@given(st.lists(st.floats(0, 2), min_size=1, max_size=12), st.floats(0, 1), st.floats(0, 1))
def test_equal_words_move_nothing(scores: list[float], word: float, weight: float) -> None:
    hits = [a_hit(str(place), score) for place, score in enumerate(sorted(scores, reverse=True))]
    assert names(mix(hits, [word] * len(hits), weight)) == names(hits)


def test_scores_stay_within_those_of_the_first_ranking() -> None:
    hits = [a_hit("a", 0.9), a_hit("b", 0.6), a_hit("c", 0.3)]
    mixed = mix(hits, [0.1, 0.2, 0.9], 0.9)
    assert names(mixed) == "cba"
    assert [hit.score for hit in mixed] == sorted((hit.score for hit in mixed), reverse=True)
    assert all(0.3 <= hit.score <= 0.9 for hit in mixed)


def test_without_a_share_the_first_ranking_stands_to_the_digit() -> None:
    hits = [a_hit("a", 0.9), a_hit("b", 0.6), a_hit("c", 0.3)]
    mixed = mix(hits, [0.1, 0.2, 0.9], 0.0)
    assert names(mixed) == "abc"
    assert [hit.score for hit in mixed] == pytest.approx([0.9, 0.6, 0.3])


@promise("memory.search.rerank-in-time")
def test_what_was_not_judged_keeps_its_place_among_those_that_change_theirs() -> None:
    hits = [a_hit("a", 0.9), a_hit("b", 0.8), a_hit("c", 0.7), a_hit("d", 0.6)]
    mixed = mix(hits, [0.0, None, 0.5, 1.0], 0.9)
    assert names(mixed) == "dbca"
    assert mixed[1].score == 0.8
    assert mixed[1].card.rerank is None
    assert mixed[1].card.kept == NOT_IN_TIME
    assert [hit.card.rerank for hit in mixed] == [1.0, None, 0.5, 0.0]


def test_each_kind_of_record_has_its_own_share() -> None:
    hits = [a_hit("a", 0.9, model="talk"), a_hit("b", 0.7, model="code"), a_hit("c", 0.3, model="talk")]
    scores = [0.0, 1.0, 0.5]
    assert names(mix(hits, scores, 0.0)) == "abc"
    assert names(mix(hits, scores, 0.0, by_model={"code": 0.9})) == "abc"
    assert names(mix(hits, scores, 0.0, by_model={"code": 0.9, "talk": 0.5})) == "bac"
