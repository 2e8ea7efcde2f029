"""Fusion: what is brought together, how scores are stretched, and what wins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.memory.layers import Layer
from ourcli.memory.ports import Candidate
from ourcli.memory.record import Record
from ourcli.memory.retrieval.fusion import fuse, gather, normalised, rank
from ourcli.memory.retrieval.rerank import mix
from tests.promises import promise
from tests.support.records import a_record, axis


def _candidate(record: Record, place: int, score: float) -> Candidate:
    return Candidate(record=record, vector=axis(place)[0], score=score)


def test_a_record_that_both_legs_bring_is_one_candidate_with_both_scores() -> None:
    both, near = a_record("both"), a_record("near")
    pool = gather([_candidate(both, 0, 1.0), _candidate(near, 1, 0.2)], [_candidate(both, 0, 7.0)], axis(0)[0])
    place = pool.records.index(both)
    assert sorted(record.text for record in pool.records) == ["both", "near"]
    assert pool.bm25[place] == 7.0
    assert (pool.vector_rank[place], pool.text_rank[place]) == (1, 1)


def test_a_record_that_only_words_brought_gets_its_exact_cosine() -> None:
    record = a_record("words")
    pool = gather([], [_candidate(record, 3, 2.0)], axis(3)[0])
    assert pool.cosine[0] == pytest.approx(1.0)
    assert pool.vector_rank == {}


@promise("memory.search.fusion")
def test_a_record_good_in_both_legs_beats_one_that_is_best_in_a_single_leg() -> None:
    near, worded, both = a_record("near"), a_record("worded"), a_record("both")
    slanted = (axis(0)[0] * 0.9 + axis(1)[0] * 0.4).astype(np.float32)
    vector_leg = [
        _candidate(near, 0, 1.0),
        Candidate(record=both, vector=slanted, score=0.9),
        _candidate(worded, 2, 0.0),
    ]
    text_leg = [_candidate(worded, 2, 10.0), Candidate(record=both, vector=slanted, score=9.0)]
    pool = gather(vector_leg, text_leg, axis(0)[0])
    assert rank(pool, fuse(pool))[0].record == both


def test_without_any_word_in_common_only_vectors_count() -> None:
    near, far = a_record("near"), a_record("far")
    pool = gather([_candidate(near, 0, 1.0), _candidate(far, 1, 0.0)], [], axis(0)[0])
    assert fuse(pool).tolist() == pytest.approx([1.0, 0.0])


@promise("memory.search.layer-weights")
def test_equal_scores_are_ordered_by_the_weight_of_their_layer() -> None:
    records = [a_record("same", layer=layer) for layer in (Layer.ASSETS, Layer.INSIGHTS, Layer.INTERACT)]
    pool = gather([_candidate(record, 0, 1.0) for record in records], [], axis(0)[0])
    hits = rank(pool, fuse(pool))
    assert [hit.record.layer for hit in hits] == [Layer.INTERACT, Layer.INSIGHTS, Layer.ASSETS]
    assert [hit.score for hit in hits] == pytest.approx([1.2, 1.0, 0.8])
    assert [hit.card.layer_weight for hit in hits] == [1.2, 1.0, 0.8]


def test_no_candidates_make_no_hits() -> None:
    pool = gather([], [], axis(0)[0])
    assert rank(pool, fuse(pool)) == []


@given(st.lists(st.floats(-1e6, 1e6), max_size=20))
def test_normalised_scores_keep_their_order_and_lie_between_0_and_1(scores: list[float]) -> None:
    stretched = normalised(np.array(scores, dtype=np.float64))
    assert ((stretched >= 0) & (stretched <= 1)).all()
    order = np.argsort(scores, kind="stable")
    assert (np.diff(stretched[order]) >= 0).all()


@promise("memory.search.rerank-mixed")
def test_a_reranker_moves_a_hit_up_but_equal_words_move_nothing() -> None:
    records = [a_record(name) for name in "abc"]
    vectors = [axis(0)[0], (axis(0)[0] + axis(1)[0] * 0.4), axis(1)[0]]
    leg = [
        Candidate(record=record, vector=np.asarray(vector, dtype=np.float32), score=0.0)
        for record, vector in zip(records, vectors, strict=True)
    ]
    pool = gather(leg, [], axis(0)[0])
    hits = rank(pool, fuse(pool))
    first = [hit.record.text for hit in hits]
    assert [hit.record.text for hit in mix(hits, [0.5, 0.5, 0.5])] == first
    last_wins = mix(hits, [0.0, 0.0, 1.0], weight=0.9)
    assert last_wins[0].record.text == first[2]
    assert last_wins[0].card.rerank == 1.0


def test_mixing_nothing_gives_nothing() -> None:
    assert mix([], []) == []
