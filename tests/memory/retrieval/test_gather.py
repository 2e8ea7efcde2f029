"""Gathering: what the legs brought becomes one pool, each record once, with what every leg says of it."""

import numpy as np
import pytest

from ourcli.memory.layers import Layer
from ourcli.memory.record import Record
from ourcli.memory.retrieval.gather import gather
from ourcli.memory.retrieval.legs import best, nothing, picked, to_leg, without
from ourcli.memory.retrieval.pool import Leg
from tests.support.records import a_record, axis


def a_leg(*rows: tuple[Record, int, float], layer: Layer = Layer.INSIGHTS) -> Leg:
    """Return a leg of records, the axis of each one's vector and its score."""
    pairs = [(record, axis(place)[0]) for record, place, _ in rows]
    return to_leg(layer, pairs, [score for _, _, score in rows], len(rows))


def test_a_record_that_both_legs_bring_is_one_candidate_with_both_scores() -> None:
    both, near = a_record("both"), a_record("near")
    pool = gather([a_leg((both, 0, 1.0), (near, 1, 0.2))], [a_leg((both, 0, 7.0))], axis(0)[0])
    place = pool.ids.index(both.id)
    assert sorted(pool.ids) == sorted([both.id, near.id])
    assert pool.bm25[place] == 7.0
    assert (pool.vector_rank[place], pool.text_rank[place]) == (1, 1)


def test_the_last_of_one_leg_may_be_the_first_of_the_next() -> None:
    record = a_record("the same")
    pool = gather([a_leg((record, 0, 1.0))], [a_leg((record, 0, 2.0))], axis(0)[0])
    assert (pool.ids, pool.kinds, pool.vectors.shape) == ((record.id,), ("note",), (1, 384))


def test_a_record_that_only_words_brought_gets_its_exact_cosine() -> None:
    pool = gather([], [a_leg((a_record("words"), 3, 2.0))], axis(3)[0])
    assert pool.cosine[0] == pytest.approx(1.0)
    assert pool.vector_rank.tolist() == [0]


def test_places_are_counted_over_all_layers() -> None:
    first, second, third = a_record("1"), a_record("2", layer=Layer.ASSETS), a_record("3")
    legs = [a_leg((first, 0, 9.0), (third, 1, 1.0)), a_leg((second, 2, 5.0), layer=Layer.ASSETS)]
    pool = gather([], legs, axis(0)[0])
    ranks = dict(zip(pool.ids, pool.text_rank.tolist(), strict=True))
    assert ranks == {first.id: 1, second.id: 2, third.id: 3}
    assert pool.layers[pool.ids.index(second.id)] is Layer.ASSETS


def test_a_record_that_two_layers_brought_stands_once_with_its_best_place() -> None:
    moved = a_record("moved")
    legs = [a_leg((moved, 0, 3.0)), a_leg((moved, 0, 4.0), layer=Layer.ASSETS)]
    pool = gather([], legs, axis(0)[0])
    assert pool.ids == (moved.id,)
    assert (pool.text_rank[0], pool.bm25[0]) == (1, 4.0)


def test_no_legs_make_an_empty_pool() -> None:
    pool = gather([], [], axis(0)[0])
    assert pool.ids == ()
    assert pool.vectors.shape == (0, 384)


def test_the_best_of_several_legs_come_in_order() -> None:
    records = [a_record(name) for name in "abcd"]
    one = a_leg((records[0], 0, 4.0), (records[1], 1, 1.0))
    two = a_leg((records[2], 2, 3.0), (records[3], 3, 2.0))
    together = best(Layer.INSIGHTS, [one, nothing(Layer.INSIGHTS), two], 3)
    assert together.ids == (records[0].id, records[2].id, records[3].id)
    assert together.vectors.argmax(axis=1).tolist() == [0, 2, 3]


def test_candidates_can_be_left_out_and_picked() -> None:
    records = [a_record(name) for name in "abc"]
    leg = a_leg(*((record, place, 3.0 - place) for place, record in enumerate(records)))
    assert without(leg, {records[1].id}).ids == (records[0].id, records[2].id)
    assert picked(leg, np.array([2, 0])).scores.tolist() == [1.0, 3.0]
