"""Context: what is indexed beside a text."""

from datetime import UTC, datetime

import pytest

from ourcli.memory.record import Record
from ourcli.memory.retrieval.context import PREVIOUS_CHARS, Place, context_of, date_in_words, place_of, places_before
from tests.promises import promise
from tests.support.records import a_record

MAY = datetime(2023, 5, 8, 13, 56, tzinfo=UTC)


def said(text: str, turn: int, **changes: object) -> Record:
    return a_record(text, **{"session": "s", "turn": turn, "ts": MAY, "speaker": "Ann", **changes})


def context(record: Record, *before: Record) -> str:
    return context_of(record, {place: one for one in before if (place := place_of(one))})


@promise("memory.context.turn")
def test_a_turn_is_found_by_speaker_date_and_the_turn_before() -> None:
    asked = said("Where shall we meet?", 0, speaker="Bob")
    assert context(said("At the harbour.", 1), asked) == "Ann, 8 May 2023\nWhere shall we meet?"


def test_a_first_turn_and_one_whose_turn_before_is_gone_have_speaker_and_date() -> None:
    assert context(said("Hello!", 0), said("beside it", 1)) == "Ann, 8 May 2023"
    assert context(said("Yes.", 7), said("long ago", 2)) == "Ann, 8 May 2023"


def test_a_speaker_that_the_text_begins_with_is_not_said_twice() -> None:
    assert context(said("Ann: Hello!", 0)) == "8 May 2023"
    assert context(said("Hello!", 0, speaker="")) == "8 May 2023"


def test_of_a_long_turn_before_the_end_is_kept_in_whole_words() -> None:
    words = " ".join(f"word{at}" for at in range(100))
    _, _, end = context(said("And?", 1), said(words, 0)).partition("\n")
    assert words.endswith(end)
    assert PREVIOUS_CHARS - 8 <= len(end) < PREVIOUS_CHARS
    assert end.startswith("word")


def test_a_long_turn_before_without_any_space_is_cut() -> None:
    _, _, end = context(said("And?", 1), said("x" * 1_000, 0)).partition("\n")
    assert end == "x" * PREVIOUS_CHARS


@promise("memory.context.code")
def test_code_is_found_by_its_names_in_words() -> None:
    code = "class HTTPReader2(Base):\n    async def getPixelColor(self):\n        return load_image(self.rawBytes)"
    assert context(a_record(code, kind="code")) == "http reader 2 get pixel color raw bytes"
    assert context(a_record("x = 1", kind="code")) == ""


@pytest.mark.parametrize("changes", [{}, {"session": "s"}, {"turn": 3}, {"kind": "document"}])
def test_what_is_neither_turn_nor_code_has_no_context(changes: dict[str, object]) -> None:
    assert context(a_record("getPixelColor is slow", **changes)) == ""


def test_only_turns_that_are_not_among_the_records_are_looked_for() -> None:
    records = [said("b", 1), said("c", 2), said("x", 5, session="t", project="p"), said("first", 0, session="u")]
    assert places_before(records) == {Place("default", "s", 0), Place("p", "t", 4)}


def test_a_date_is_written_as_people_write_it() -> None:
    assert date_in_words(datetime(2024, 12, 31, tzinfo=UTC)) == "31 December 2024"
