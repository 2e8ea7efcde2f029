"""Fusion: what wins, what every feature adds to it, and what changes nothing."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.memory.layers import Layer
from ourcli.memory.query import Hit
from ourcli.memory.retrieval.cards import to_hit
from ourcli.memory.retrieval.fusion import COLUMNS, rank
from ourcli.memory.retrieval.pool import Pool, Ranking
from ourcli.memory.retrieval.rerank import mix
from tests.promises import promise
from tests.support.pools import a_candidate, a_pool, pools, shuffled
from tests.support.records import NOON, a_record

QUESTION = "what did Ann say about the cache?"


def ranked(pool: Pool, at: datetime = NOON) -> Ranking:
    return rank(pool, QUESTION, now=at)


def order(pool: Pool) -> list[str]:
    return [pool.ids[place] for place in ranked(pool).order]


@promise("memory.search.fusion")
def test_a_record_good_in_both_legs_beats_one_that_is_best_in_a_single_leg() -> None:
    near, worded = a_candidate("near", (1.0,)), a_candidate("worded", (0.1, 1.0), 10.0)
    assert order(a_pool(near, worded, a_candidate("both", (0.9, 0.0, 0.4), 9.0)))[0] == "both"


@promise("memory.search.no-word-found")
@given(pools())
def test_where_no_word_was_found_vectors_decide_alone(pool: Pool) -> None:
    silent = shuffled(pool, list(range(len(pool.ids))))
    silent.text_rank[:] = 0
    fused = ranked(silent).fused
    assert (np.diff(fused[np.argsort(silent.cosine, kind="stable")]) >= 0).all()


@promise("memory.search.layer-weights")
def test_equal_scores_are_ordered_by_the_weight_of_their_layer() -> None:
    kinds = {"file": Layer.ASSETS, "note": Layer.INSIGHTS, "turn": Layer.INTERACT}
    pool = a_pool(*(a_candidate(kind, (1.0,), kind=kind, layer=layer) for kind, layer in kinds.items()))
    ranking = ranked(pool)
    assert order(pool) == ["turn", "note", "file"]
    assert ranking.score[ranking.order].tolist() == pytest.approx([1.2, 1.0, 0.8])
    assert ranking.layer_weight[ranking.order].tolist() == [1.2, 1.0, 0.8]


def test_no_candidates_make_no_ranking() -> None:
    assert ranked(a_pool()).order.tolist() == []


@promise("memory.search.shares")
@given(pools())
def test_the_shares_of_the_features_add_up_to_a_fused_score_between_0_and_1(pool: Pool) -> None:
    ranking = ranked(pool)
    assert ranking.shares.shape == (len(pool.ids), len(COLUMNS))
    assert ranking.shares.sum(axis=1) == pytest.approx(ranking.fused, abs=1e-9)
    assert ((ranking.fused >= 0) & (ranking.fused <= 1)).all()
    assert ranking.score == pytest.approx(ranking.fused * ranking.layer_weight * ranking.recency)


@promise("memory.search.order-of-candidates")
@given(st.data())
def test_the_order_in_which_candidates_come_changes_nothing(data: st.DataObject) -> None:
    pool = data.draw(pools(least=1))
    places = data.draw(st.permutations(range(len(pool.ids))))
    one, other = ranked(pool), ranked(shuffled(pool, places))
    assert [pool.ids[at] for at in one.order] == [pool.ids[places[at]] for at in other.order]
    assert other.score.tolist() == one.score[places].tolist()
    assert other.duplicates.tolist() == one.duplicates[places].tolist()


@given(pools())
def test_every_candidate_is_ranked_once_or_counted_as_a_duplicate(pool: Pool) -> None:
    ranking = ranked(pool)
    assert len(set(ranking.order.tolist())) == len(ranking.order)
    assert len(ranking.order) + ranking.duplicates.sum() == len(pool.ids)


@promise("memory.search.kinds")
def test_each_kind_is_ranked_by_weights_of_its_own_and_all_on_one_scale() -> None:
    talk = [a_candidate(f"turn {at}", (0.2 * at, 1.0, at), at, session="s", turn=at) for at in range(4)]
    code = [a_candidate(f"code {at}", (0.3 * at, 0.0, 1.0), at, kind="code") for at in range(4)]
    prose = [a_candidate(f"prose {at}", (0.1 * at, 1.0), at, kind="document") for at in range(4)]
    note = a_candidate("note", (1.0,), 4.0)
    ranking = ranked(a_pool(*talk, *code, *prose, note))
    assert ranking.model == ("talk",) * 4 + ("code",) * 4 + ("prose",) * 4 + ("equal",)
    assert ranking.order[0] == 12
    assert ranking.fused.max() == ranking.fused[12]


def test_of_equals_the_newer_comes_first_and_then_the_lower_id() -> None:
    same = [a_candidate(name, (1.0,), 1.0, speaker=f"{name} says") for name in ("c", "b")]
    assert order(a_pool(a_candidate("a", (1.0,), 1.0, age_s=5.0), *same)) == ["b", "c", "a"]


@promise("memory.search.recency")
def test_of_two_that_answer_alike_the_newer_comes_first_and_age_takes_a_tenth_at_most() -> None:
    old = a_candidate("old", (1.0, 0.2), 2.0, age_s=1e9)
    ranking = ranked(a_pool(old, a_candidate("new", (1.0, -0.2), 2.0), a_candidate("beside", (0.1, 1.0))))
    assert [round(float(factor), 3) for factor in ranking.recency] == [0.9, 1.0, 1.0]
    assert ranking.order.tolist() == [1, 0, 2]


def test_a_clock_that_went_backwards_makes_nothing_younger_than_now() -> None:
    pool = a_pool(a_candidate("from tomorrow", (1.0,), 1.0))
    assert ranked(pool, NOON - timedelta(days=1)).recency.tolist() == [1.0]
    assert ranked(pool, datetime(1970, 1, 1, tzinfo=UTC)).recency.tolist() == [1.0]


def _hits(pool: Pool) -> list[Hit]:
    ranking = ranked(pool)
    records = {name: a_record(name) for name in pool.ids}
    return [to_hit(pool, ranking, int(place), records[pool.ids[place]]) for place in ranking.order]


@promise("memory.search.rerank-mixed")
def test_a_reranker_moves_a_hit_up_but_equal_words_move_nothing() -> None:
    hits = _hits(a_pool(a_candidate("a", (1.0,)), a_candidate("b", (0.9, 0.4)), a_candidate("c", (0.1, 1.0))))
    first = [hit.record.text for hit in hits]
    assert [hit.record.text for hit in mix(hits, [0.5, 0.5, 0.5])] == first
    last_wins = mix(hits, [0.0, 0.0, 1.0], weight=0.9)
    assert last_wins[0].record.text == first[2]
    assert last_wins[0].card.rerank == 1.0


def test_mixing_nothing_gives_nothing() -> None:
    assert mix([], []) == []


@promise("memory.search.card")
def test_a_card_names_every_feature_the_weights_used_and_the_duplicates() -> None:
    twice = [a_candidate(name, (1.0,), 3.0) for name in ("kept", "repeated")]
    card = _hits(a_pool(*twice, a_candidate("other", (0.2, 1.0), 1.0)))[0].card
    assert tuple(card.features) == COLUMNS
    assert sum(card.features.values()) == pytest.approx(card.fused)
    assert (card.model, card.duplicates) == ("equal", 1)
