"""JSON lines that carry records: read from outside, so every line is checked."""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ourcli.app.requests import NewRecord
from ourcli.cli.sanitize import well_formed
from ourcli.common.errors import InvalidInputError
from ourcli.common.jsondata import iso
from ourcli.memory.layers import Layer
from ourcli.memory.record import DIMS, Source, Trust


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceLine(_Line):
    """Where a text stands."""

    uri: str = Field(min_length=1)
    lines: tuple[int, int] | None = None
    sha256: str = ""
    page: int | None = Field(default=None, ge=1)


class RecordLine(_Line):
    """One line of `memory add --jsonl`."""

    text: str = Field(min_length=1)
    id: str | None = Field(default=None, min_length=1)
    layer: Layer = Layer.INSIGHTS
    kind: str = Field(default="note", min_length=1)
    tags: tuple[str, ...] = ()
    project: str | None = Field(default=None, min_length=1)
    session: str = ""
    speaker: str = ""
    turn: int | None = Field(default=None, ge=0)
    ts: datetime | None = None
    source: SourceLine | str | None = None
    embedding: tuple[float, ...] | None = Field(default=None, min_length=DIMS, max_length=DIMS)

    def to_record(self) -> NewRecord:
        """Return the record that the line means."""
        return NewRecord(
            text=self.text,
            id=self.id,
            layer=self.layer,
            kind=self.kind,
            tags=tuple(dict.fromkeys(self.tags)),
            project=self.project,
            session=self.session,
            speaker=self.speaker,
            turn=self.turn,
            ts=None if self.ts is None else iso(self.ts if self.ts.tzinfo else self.ts.replace(tzinfo=UTC)),
            source=self._source(),
            embedding=self.embedding,
        )

    def _source(self) -> Source | None:
        if self.source is None:
            return None
        if isinstance(self.source, str):
            return Source(uri=self.source, lines=None, sha256="")
        given = self.source
        return Source(uri=given.uri, lines=given.lines, sha256=given.sha256, page=given.page)


class ExportedLine(RecordLine):
    """One line of `memory import`: what `memory export` wrote."""

    parents: tuple[str, ...] = ()
    trust: Trust = Trust.USER
    context: str = ""
    model: str = ""

    def to_record(self) -> NewRecord:
        """Return the record that the line means, with its provenance."""
        record = super().to_record()
        return replace(record, parents=self.parents, trust=self.trust, context=self.context, model=self.model)


def read_records(lines: Iterable[str], shape: type[RecordLine]) -> Iterator[NewRecord]:
    """Yield the record of each line; blank lines are passed over.

    Raises:
        InvalidInputError: A line is no JSON object of that shape; the message names line and field.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _read(number, line, shape)


def _read(number: int, line: str, shape: type[RecordLine]) -> NewRecord:
    try:
        return shape.model_validate_json(well_formed(line)).to_record()
    except ValidationError as exc:
        raise InvalidInputError(
            f"line {number}: {_reason(exc, shape)}",
            hint="a line is one JSON object: text, and if you like " + ", ".join(list(shape.model_fields)[1:]),
        ) from exc


def _reason(failure: ValidationError, shape: type[RecordLine]) -> str:
    """Return what is wrong in words; a misspelt key comes before the key that is missing for it."""
    problems = failure.errors(include_url=False, include_input=False, include_context=False)
    worst = next((one for one in problems if one["type"] == "extra_forbidden"), problems[0])
    place = ".".join(map(str, worst["loc"]))
    if worst["type"] != "extra_forbidden":
        return f"{place}: {worst['msg']}" if place else worst["msg"]
    near = difflib.get_close_matches(place, shape.model_fields, n=1)
    return f"unknown key {place!r}" + (f"; did you mean {near[0]!r}?" if near else "")
