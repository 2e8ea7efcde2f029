"""Which hits count as evidence: absolute relevance, and what is never evidence."""

from typing import Any

import pytest

from ourcli.core.evidence import STRONG, coverage, relevance, select
from ourcli.memory.layers import Layer
from ourcli.memory.query import Hit, LegScore, ScoreCard
from ourcli.memory.record import Trust
from tests.promises import promise
from tests.support.records import a_record


def _hit(text: str, cosine: float, *, rerank: float | None = None, **changes: object) -> Hit:
    card = ScoreCard(
        vector=LegScore(rank=1, score=cosine),
        text=LegScore(rank=None, score=0.0),
        fused=1.0,
        layer_weight=1.0,
        recency=1.0,
        rerank=rerank,
        kept="",
    )
    return Hit(record=a_record(text, **changes), score=1.0, card=card)


def test_coverage_is_the_share_of_meaningful_words_whatever_their_ending() -> None:
    assert coverage("how do we cache the sessions?", "caching of a session") == 1.0
    assert coverage("what is it?", "anything") == 0.0
    assert coverage("cache lifetime", "the cache is warm") == 0.5


@promise("core.evidence.absolute")
def test_the_best_hit_of_a_question_that_memory_cannot_answer_is_no_evidence() -> None:
    weak = [_hit("deployments happen on Tuesdays", 0.12), _hit("the office dog is Rex", 0.10)]
    assert select("what is the capital of Mongolia?", weak, session="") == ()


def test_a_close_paraphrase_is_strong_and_may_be_quoted() -> None:
    found = select("how long do cached entries live?", [_hit("the cache has a TTL of 15 minutes", 0.44)], session="")
    assert found[0].relevance >= STRONG
    assert found[0].quotable


def test_a_question_about_us_takes_weaker_evidence_than_one_about_the_world() -> None:
    hit = [_hit("we picked Svelte for the frontend", 0.22)]
    assert select("what UI framework do we use?", hit, session="") != ()
    assert select("what UI framework is popular?", hit, session="") == ()


def test_late_interaction_counts_where_the_reranker_gave_it() -> None:
    assert relevance("q", _hit("x", 0.4, rerank=0.6)) > relevance("q", _hit("x", 0.4, rerank=0.2))


@promise("core.evidence.trust")
def test_a_models_own_earlier_words_are_never_quoted_and_stand_behind_the_users() -> None:
    users, models = _hit("the TTL is 15 minutes", 0.6), _hit("the TTL is 15 minutes, I think", 0.6, trust=Trust.MODEL)
    found = select("what TTL did you suggest?", [models, users], session="")
    assert [one.hit for one in found] == [users, models]
    assert [one.quotable for one in found] == [True, False]
    assert found[1].as_evidence().label == "an earlier answer"


def test_an_earlier_answer_is_left_out_when_its_source_is_found() -> None:
    source = _hit("the TTL is 15 minutes", 0.6)
    retold = _hit("It is 15 minutes.", 0.6, trust=Trust.MODEL, parents=(source.record.id,))
    assert [one.hit for one in select("what TTL did you suggest?", [retold, source], session="")] == [source]


@promise("core.evidence.no-echo")
def test_a_models_invention_is_no_evidence_for_a_question_about_the_matter() -> None:
    invented = _hit("The office has 12 employees.", 0.8, trust=Trust.MODEL)
    assert select("how many employees are in the office?", [invented], session="") == ()
    assert select("what did you say about the office employees?", [invented], session="") != ()


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "question", "layer": Layer.INTERACT},
        {"session": "now", "turn": 0, "layer": Layer.INTERACT},
    ],
)
def test_questions_and_the_turns_of_this_session_are_no_evidence(changes: dict[str, Any]) -> None:
    assert select("what is the TTL?", [_hit("what is the TTL?", 1.0, rerank=None, **changes)], session="now") == ()


def test_a_note_of_this_session_that_is_no_turn_is_evidence() -> None:
    assert select("what is the TTL?", [_hit("the TTL is 5 s", 0.8, session="now")], session="now") != ()


def test_the_same_text_counts_once_and_weak_hits_far_behind_the_best_are_dropped() -> None:
    hits = [_hit("the TTL is 5 s", 0.8), _hit("the TTL is 5 s", 0.8), _hit("a TTL has letters", 0.2)]
    assert [one.hit for one in select("what is the TTL?", hits, session="")] == hits[:1]
