"""Which sentences of a text carry its decision."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.memory.lifecycle.extract import carrying
from tests.promises import promise

STANDUP = (
    "Good morning everyone. Did you sleep well? I had a look around yesterday. We decided to use PostgreSQL 16 for "
    "billing. It keeps 30 days of history because audits need it. Lunch was good. See you tomorrow!"
)


@promise("memory.distil.extract")
@pytest.mark.parametrize(
    ("text", "carried"),
    [
        (STANDUP, "We decided to use PostgreSQL 16 for billing. It keeps 30 days of history because audits need it."),
        ("Hello! Thanks for coming. Decision: nightly backups at 02:30.", "Decision: nightly backups at 02:30."),
        ("I like tea. The port is 5432. Shall we use 6432?", "The port is 5432."),
        ("Should we adopt Kafka? We agreed to wait.", "We agreed to wait."),
        ("just a chat about nothing", "just a chat about nothing"),
    ],
)
def test_what_carries_the_decision_is_kept_and_the_rest_left_out(text: str, carried: str) -> None:
    assert carrying(text, 400) == carried


def test_a_decision_alone_stays_as_it_is() -> None:
    text = "We decided on a write-through cache.\n\n- TTL: 15 minutes\n- owner: Priya"
    assert carrying(text, 400) == text


@promise("memory.distil.extract")
def test_of_too_many_sentences_the_most_telling_are_kept_in_their_order() -> None:
    text = "We use Redis 7. " + "It has 12 shards by now. " * 30 + "We decided to keep it until 2027."
    assert carrying(text, 80) == "We use Redis 7. It has 12 shards by now. We decided to keep it until 2027."


def test_one_sentence_that_is_too_long_is_cut() -> None:
    cut = carrying(f"We decided to use {'very ' * 200}many words.", 100)
    assert len(cut) <= 100
    assert cut.endswith("…")


@given(st.text(min_size=1).filter(str.strip), st.integers(20, 300))
def test_every_text_has_something_to_keep_and_nothing_is_added(text: str, most: int) -> None:
    kept = carrying(text, most)
    assert kept.strip()
    assert len(kept) <= max(most, 0)
    assert set(kept.replace("…", "").split()) <= set(text.split()) or kept.endswith("…")


def test_a_megabyte_is_read_in_linear_time() -> None:
    assert carrying("We decided on Redis. Words and words. " * 25_000, 400).startswith("We decided on Redis.")
