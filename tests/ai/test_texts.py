"""Texts before a model sees them."""

from hypothesis import given
from hypothesis import strategies as st

from ourcli.ai.texts import SLICE_CHARS, SLICE_TEXTS, slices_by_length, well_formed


def test_lone_surrogates_become_replacement_characters() -> None:
    assert well_formed("a\ud800b\udc80") == "a\ufffdb\ufffd"


def test_bytes_that_were_not_utf8_become_replacement_characters() -> None:
    assert well_formed(b"caf\xe9 au lait".decode("utf-8", "surrogateescape")) == "caf\ufffd au lait"


def test_surrogate_pairs_become_their_character() -> None:
    assert well_formed("\ud83d\ude42") == "🙂"


@given(st.text("aé漢🙂\0\n "))
def test_valid_text_stays_as_it_is(text: str) -> None:
    assert well_formed(text) == text


@given(st.text("aé\ud7ff\ud800\udbff\udc00\udfff\ue000🙂"))
def test_any_text_becomes_encodable(text: str) -> None:
    well_formed(text).encode("utf-8")


@given(st.lists(st.integers(1, 3 * SLICE_CHARS), max_size=200))
def test_slices_hold_every_text_once_shortest_first_within_bounds(lengths: list[int]) -> None:
    slices = list(slices_by_length(["x" * length for length in lengths]))

    flat = [position for positions in slices for position in positions]
    assert sorted(flat) == list(range(len(lengths)))
    assert [lengths[position] for position in flat] == sorted(lengths)
    for positions in slices:
        longest = max(lengths[position] for position in positions)
        assert len(positions) == 1 or len(positions) * longest <= SLICE_CHARS
        assert len(positions) <= SLICE_TEXTS
