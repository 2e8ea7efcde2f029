"""New records from the outside as records of memory, and the vectors that came with them."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from ourcli.app.requests import NewRecord
from ourcli.common.clock import Clock
from ourcli.common.errors import InvalidInputError
from ourcli.common.ids import RecordId, is_uuid, new_id
from ourcli.memory.record import Record
from ourcli.memory.vectors import Vector


def to_record(new: NewRecord, *, project: str, clock: Clock) -> Record:
    """Return the record that a new one means; what it leaves open gets its default.

    Raises:
        InvalidInputError: Its id is no UUID, or its time no ISO 8601 time.
    """
    if new.id is not None and not is_uuid(new.id):
        raise InvalidInputError(f"the id {new.id!r} is not a UUID", hint="leave it out and one will be made")
    now = clock.now()
    return Record(
        id=RecordId(new.id.lower() if new.id else new_id(now)),
        text=new.text,
        layer=new.layer,
        ts=_moment(new.ts) if new.ts else now,
        kind=new.kind,
        tags=new.tags,
        project=new.project or project,
        session=new.session,
        speaker=new.speaker,
        turn=new.turn,
        source=new.source,
        parents=tuple(RecordId(parent) for parent in new.parents),
        trust=new.trust,
        context=new.context,
    )


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as exc:
        raise InvalidInputError(
            f"{text!r} is not a time", hint="write it as ISO 8601, for example 2026-01-31T12:00:00Z"
        ) from exc
    return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)


def given_vectors(records: Sequence[NewRecord], model: str) -> dict[int, Vector]:
    """Return the vectors that came with records and were made by our model (or name none), by position."""
    return {
        place: np.asarray(new.embedding, dtype=np.float32)
        for place, new in enumerate(records)
        if new.embedding is not None and new.model in ("", model)
    }
