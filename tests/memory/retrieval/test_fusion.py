"""Fusion: what is brought together, how scores are stretched, and what wins."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.memory.layers import Layer
from ourcli.memory.record import DIMS, Record
from ourcli.memory.retrieval.cards import to_hit
from ourcli.memory.retrieval.features import normalised
from ourcli.memory.retrieval.fusion import rank
from ourcli.memory.retrieval.gather import gather
from ourcli.memory.retrieval.legs import to_leg
from ourcli.memory.retrieval.pool import Pool
from ourcli.memory.retrieval.rerank import mix
from tests.promises import promise
from tests.support.records import NOON, a_record, axis


def a_pool(*rows: tuple[Record, Sequence[float], float, float]) -> Pool:
    """Return a pool of records, each with its vector, its score in the vector leg and in the text leg."""
    vectors = [np.array([*vector, *[0.0] * (DIMS - len(vector))], dtype=np.float32) for _, vector, _, _ in rows]
    pairs = [(row[0], vector) for row, vector in zip(rows, vectors, strict=True)]
    near = [to_leg(row[0].layer, [pair], [row[2]], 1) for row, pair in zip(rows, pairs, strict=True)]
    matched = [to_leg(row[0].layer, [pair], [row[3]], 1) for row, pair in zip(rows, pairs, strict=True) if row[3]]
    return gather(near, matched, axis(0)[0])


def order(pool: Pool) -> list[str]:
    return [pool.ids[place] for place in rank(pool, "question", now=NOON).order]


@promise("memory.search.fusion")
def test_a_record_good_in_both_legs_beats_one_that_is_best_in_a_single_leg() -> None:
    near, worded, both = a_record("near"), a_record("worded"), a_record("both")
    pool = a_pool((near, [1.0], 1.0, 0.0), (worded, [0.0, 1.0], 0.0, 10.0), (both, [0.9, 0.4], 0.9, 9.0))
    assert order(pool)[0] == both.id


def test_without_any_word_in_common_only_vectors_count() -> None:
    pool = a_pool((a_record("near"), [1.0], 1.0, 0.0), (a_record("far"), [0.0, 1.0], 0.0, 0.0))
    assert rank(pool, "question", now=NOON).fused.tolist() == pytest.approx([1.0, 0.0])


@promise("memory.search.layer-weights")
def test_equal_scores_are_ordered_by_the_weight_of_their_layer() -> None:
    layers = {"file": Layer.ASSETS, "note": Layer.INSIGHTS, "turn": Layer.INTERACT}
    records = [a_record("same", kind=kind, layer=layer) for kind, layer in layers.items()]
    pool = a_pool(*((record, [1.0], 1.0, 0.0) for record in records))
    ranking = rank(pool, "question", now=NOON)
    assert order(pool) == [record.id for record in records[::-1]]
    assert ranking.score[ranking.order].tolist() == pytest.approx([1.2, 1.0, 0.8])
    assert ranking.layer_weight[ranking.order].tolist() == [1.2, 1.0, 0.8]


def test_no_candidates_make_no_ranking() -> None:
    assert rank(gather([], [], axis(0)[0]), "question", now=NOON).order.tolist() == []


@given(st.lists(st.floats(-1e6, 1e6), max_size=20))
def test_normalised_scores_keep_their_order_and_lie_between_0_and_1(scores: list[float]) -> None:
    stretched = normalised(np.array(scores, dtype=np.float64))
    assert ((stretched >= 0) & (stretched <= 1)).all()
    order = np.argsort(scores, kind="stable")
    assert (np.diff(stretched[order]) >= 0).all()


@promise("memory.search.rerank-mixed")
def test_a_reranker_moves_a_hit_up_but_equal_words_move_nothing() -> None:
    records = {record.id: record for record in (a_record(name) for name in "abc")}
    vectors = [[1.0], [0.9, 0.4], [0.0, 1.0]]
    pool = a_pool(*((record, vector, 0.0, 0.0) for record, vector in zip(records.values(), vectors, strict=True)))
    ranking = rank(pool, "question", now=NOON)
    hits = [to_hit(pool, ranking, int(place), records[pool.ids[place]]) for place in ranking.order]
    first = [hit.record.text for hit in hits]
    assert [hit.record.text for hit in mix(hits, [0.5, 0.5, 0.5])] == first
    last_wins = mix(hits, [0.0, 0.0, 1.0], weight=0.9)
    assert last_wins[0].record.text == first[2]
    assert last_wins[0].card.rerank == 1.0


def test_mixing_nothing_gives_nothing() -> None:
    assert mix([], []) == []
