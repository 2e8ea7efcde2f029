"""Judged data in JSON lines: a corpus as records, and questions with what is relevant to them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ConfigDict, ValidationError

from ourcli.common.errors import InvalidInputError
from ourcli.common.ids import RecordId
from ourcli.memory.layers import Layer
from ourcli.memory.record import Record
from ourcli.memory.retrieval.kinds import kind_of_text

_TIMES = ("%I:%M %p on %d %B, %Y", "%d %B, %Y", "%d %B %Y", "%B %d, %Y")
"""How conversations in such data give their time, besides ISO 8601."""

_LineT = TypeVar("_LineT", bound=BaseModel)


class CorpusLine(BaseModel):
    """A text of the corpus; session, turn, date and speaker where it is a turn of a conversation."""

    model_config = ConfigDict(extra="ignore")  # data sets carry columns of their own
    id: str
    text: str
    scope: str = "all"
    session: str | int | None = None
    turn: int | None = None
    date: str = ""
    speaker: str = ""
    kind: str = ""


class QuestionLine(BaseModel):
    """A question of a scope, and the grade of each text that is relevant to it."""

    model_config = ConfigDict(extra="ignore")
    id: str
    query: str
    scope: str = "all"
    category: str = "all"
    relevant: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Texts and questions, both at least one."""

    texts: Sequence[CorpusLine]
    questions: Sequence[QuestionLine]

    def sessions(self) -> dict[str, str]:
        """Return the session of each record that has one, by record id."""
        return {str(record_id(one.id)): _session(one) for one in self.texts if one.session is not None}


def read(corpus: Path, questions: Path) -> Judged:
    """Read judged data.

    Raises:
        InvalidInputError: A file cannot be read or is empty, or a line of it is not valid; the message names it.
    """
    judged = Judged(texts=_lines(corpus, CorpusLine), questions=_lines(questions, QuestionLine))
    if not judged.texts or not judged.questions:
        raise InvalidInputError("there is nothing to measure: a file is empty", hint="give one record a line")
    return judged


def record_id(name: str) -> RecordId:
    """Return a stable UUID for a data set's own id."""
    return RecordId(str(uuid5(NAMESPACE_URL, name)))


def to_record(line: CorpusLine, now: datetime) -> Record:
    """Return a text as memory would hold it: a turn in L1, all else in L3, its kind from its looks."""
    is_turn = line.session is not None and line.turn is not None
    return Record(
        id=record_id(line.id),
        text=line.text,
        layer=Layer.INTERACT if is_turn else Layer.ASSETS,
        ts=_moment(line.date) or now,
        kind=line.kind or ("note" if is_turn else kind_of_text(line.text)),
        project=line.scope,
        session=_session(line) if line.session is not None else "",
        turn=line.turn,
        speaker=line.speaker,
    )


def _session(line: CorpusLine) -> str:
    return f"{line.scope}/{line.session}"


def _moment(text: str) -> datetime | None:
    """Return a time that is written in one of the known ways, as UTC; None for another."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        for form in _TIMES:
            try:
                return datetime.strptime(text.strip(), form).replace(tzinfo=UTC)
            except ValueError:
                continue
        return None
    return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)


def _lines(path: Path, shape: type[_LineT]) -> list[_LineT]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidInputError(f"cannot read {str(path)!r}: {exc}") from exc
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found.append(shape.model_validate(json.loads(line)))
        except (ValueError, ValidationError) as exc:
            first = str(exc).splitlines()[0]
            raise InvalidInputError(f"{path.name}, line {number}: {first}", hint="one JSON object a line") from exc
    return found
