"""Records on their way out: as they are, or without what is nobody's business."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import islice

from ourcli.app.requests import ExportedRecord
from ourcli.memory.ports import Redactor
from ourcli.memory.private import anonymous
from ourcli.memory.record import Record
from ourcli.memory.vectors import Vector

_BATCH = 64


async def exported(records: AsyncIterator[tuple[Record, Vector]]) -> AsyncIterator[ExportedRecord]:
    """Yield records with their vectors."""
    async for record, vector in records:
        yield ExportedRecord(record=record, embedding=tuple(vector.tolist()))


async def redacted(records: AsyncIterator[tuple[Record, Vector]], redactor: Redactor) -> AsyncIterator[ExportedRecord]:
    """Yield records without secrets, addresses and user names, and without vectors, which would tell of them."""
    batch: list[Record] = []
    async for record, _ in records:
        batch.append(record)
        if len(batch) == _BATCH:
            for clean in await _clean(batch, redactor):
                yield clean
            batch = []
    for clean in await _clean(batch, redactor):
        yield clean


async def _clean(records: list[Record], redactor: Redactor) -> list[ExportedRecord]:
    words = [word for record in records for word in _words(record)]
    clean = iter([found.text for found in await redactor.redact(words)])
    return [ExportedRecord(record=anonymous(_with_words(record, clean)), embedding=None) for record in records]


def _words(record: Record) -> tuple[str, ...]:
    """Return everything of a record that somebody wrote: a secret may stand in any of it."""
    uri = "" if record.source is None else record.source.uri
    return (record.text, record.context, record.session, record.speaker, uri, *record.tags)


def _with_words(record: Record, words: Iterator[str]) -> Record:
    """Return a record with other words in their place, taken in the order of `_words`."""
    text, context, session, speaker, uri = islice(words, 5)
    return replace(
        record,
        text=text,
        context=context,
        session=session,
        speaker=speaker,
        source=None if record.source is None else replace(record.source, uri=uri),
        tags=tuple(islice(words, len(record.tags))),
    )
