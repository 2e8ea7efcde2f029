"""Which pairs of decisions contradict each other."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.memory.contradiction.compare import contradicts
from tests.memory.contradiction.pairs import COMPATIBLE, CONTRADICTING, LATER
from tests.promises import promise


@promise("memory.contradiction.found")
@pytest.mark.parametrize(("new", "old"), CONTRADICTING)
def test_a_contradiction_is_found(new: str, old: str) -> None:
    assert contradicts(new, old)


@promise("memory.contradiction.precise")
@pytest.mark.parametrize(("one", "other"), COMPATIBLE)
def test_what_can_both_hold_is_left_alone(one: str, other: str) -> None:
    assert (contradicts(one, other), contradicts(other, one)) == (None, None)


@promise("memory.contradiction.found")
def test_most_contradictions_that_the_rules_were_not_written_for_are_found() -> None:
    found = [pair for pair in LATER if contradicts(*pair)]
    assert len(found) >= 0.9 * len(LATER)


@promise("memory.contradiction.precise")
def test_decisions_about_other_things_do_not_contradict_each_other() -> None:
    decisions = [old for _, old in (*LATER, *CONTRADICTING[9:])]
    found = [pair for pair in permutations(decisions, 2) if contradicts(*pair)]
    assert found == []


def test_the_reason_names_both_values() -> None:
    assert contradicts("TTL is 30 minutes", "TTL is 15 minutes") == "it says 15 minutes where this says 30 minutes"
    assert contradicts("We moved from Jenkins to Buildkite.", "The CI server is Jenkins.") == (
        "it says Jenkins, which this decides against"
    )


def test_every_sentence_of_a_longer_text_counts() -> None:
    old = "Good talk today. We decided on Redis. The cache TTL is 15 minutes. Thanks!"
    assert contradicts("After a week of metrics: the cache TTL is 1 hour.", old)


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_two_texts_can_be_compared_and_none_contradicts_itself(one: str, other: str) -> None:
    contradicts(one, other)
    assert contradicts(one, one) is None


def test_a_megabyte_is_compared_at_once() -> None:
    assert contradicts("We use Redis 7. " * 60_000, "port is 5 and " * 70_000) is None
