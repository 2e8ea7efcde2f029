"""Near-duplicates: what counts as said twice, and what does not."""

import math

import pytest

from ourcli.memory.retrieval.duplicates import SAME_TEXT
from ourcli.memory.retrieval.fusion import rank
from ourcli.memory.retrieval.pool import Ranking
from tests.promises import promise
from tests.support.pools import Candidate, a_candidate, a_pool
from tests.support.records import NOON


def ranked(*candidates: Candidate) -> Ranking:
    return rank(a_pool(*candidates), "anything", now=NOON)


@promise("memory.search.duplicates")
def test_the_best_of_the_same_text_stays_and_counts_the_others() -> None:
    ranking = ranked(
        a_candidate("weak", (1.0,), 1.0),
        a_candidate("best", (1.0,), 3.0),
        a_candidate("other", (0.5, 1.0), 2.0),
        a_candidate("weakest", (1.0,), 0.5),
    )
    assert ranking.order.tolist() == [1, 2]
    assert ranking.duplicates.tolist() == [0, 2, 0, 0]


@promise("memory.search.duplicates")
@pytest.mark.parametrize("cosine", [0.9994, 0.9935])
def test_texts_that_differ_in_one_number_are_different_facts(cosine: float) -> None:
    beside = a_candidate("beside", (cosine, math.sqrt(1 - cosine**2)), 1.0)
    assert ranked(a_candidate("one", (1.0,), 1.0), beside).duplicates.tolist() == [0, 0]
    assert cosine < SAME_TEXT


def test_the_same_words_of_another_speaker_kind_or_length_are_no_duplicate() -> None:
    ranking = ranked(
        a_candidate("ann", (1.0,), 1.0, speaker="Ann"),
        a_candidate("bob", (1.0,), 1.0, speaker="Bob"),
        a_candidate("question", (1.0,), 1.0, speaker="Ann", kind="question"),
        a_candidate("cut text", (1.0,), 1.0, speaker="Ann", chars=4_000),
    )
    assert len(ranking.order) == 4
