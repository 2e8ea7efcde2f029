"""What is indexed together with a text, so that words find it that do not stand in it: pure.

A turn of a conversation is also found by who said it, when, and what was said before; source code also by its names in
words (`getPixelColor` by "pixel color"). Only the words see it: the embedding is made of the text alone, for with the
turn before in it turns become alike (see `docs/decisions`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from ourcli.memory.record import Record
from ourcli.memory.retrieval.kinds import CODE_KIND

PREVIOUS_CHARS = 200
"""So much of the end of the turn before is kept: the end is what is answered."""
_MOST_NAMES = 40
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DEFINED = re.compile(
    r"^\s*(?:\w+\s+)*?(?:def|class|function|func|fn|sub|struct|interface|trait|type)\s+([A-Za-z_$][\w$]*)", re.MULTILINE
)
_JOINED = re.compile(r"\b[A-Za-z]+[a-z][A-Z]\w*")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class Place(NamedTuple):
    """A turn's place: project, session, turn."""

    project: str
    session: str
    turn: int


def place_of(record: Record) -> Place | None:
    """Return where in a conversation a record was said; None when it is no turn."""
    if not record.session or record.turn is None:
        return None
    return Place(record.project, record.session, record.turn)


def places_before(records: Iterable[Record]) -> set[Place]:
    """Return the places whose texts are needed as context of `records` and are not among them."""
    there = {place for record in records if (place := place_of(record))}
    needed = {Place(place.project, place.session, place.turn - 1) for place in there if place.turn > 0}
    return needed - there


def context_of(record: Record, said: Mapping[Place, Record]) -> str:
    """Return the context of a record, "" where there is none.

    Args:
        record: A turn, source code, or something else.
        said: Turns by place, those before the record's among them where they are known.
    """
    if place := place_of(record):
        return _of_turn(record, said.get(Place(place.project, place.session, place.turn - 1)))
    return _names_in_words(record.text) if record.kind == CODE_KIND else ""


def date_in_words(at: datetime) -> str:
    """Return a date as people write it: `8 May 2023`."""
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def _of_turn(record: Record, before: Record | None) -> str:
    speaker = "" if record.text.startswith(record.speaker) else record.speaker
    head = ", ".join(part for part in (speaker, date_in_words(record.ts)) if part)
    return head if before is None else f"{head}\n{end_of(before.text)}"


def end_of(text: str) -> str:
    """Return what of a text stands in the context of the turn after it: its end, from a word's begin on."""
    if len(text) <= PREVIOUS_CHARS:
        return text
    _, _, whole_words = text[-PREVIOUS_CHARS:].partition(" ")
    return whole_words or text[-PREVIOUS_CHARS:]


def _names_in_words(code: str) -> str:
    names: Sequence[str] = [*_DEFINED.findall(code), *_JOINED.findall(code)]
    in_words = (" ".join(_WORD.findall(name)).lower() for name in names)
    return " ".join(list(dict.fromkeys(words for words in in_words if words))[:_MOST_NAMES])
