"""Records on their way out: as they are, or without what is nobody's business."""

from collections.abc import AsyncIterator
from dataclasses import replace

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
    texts = await redactor.redact([record.text for record in records])
    contexts = await redactor.redact([record.context for record in records])
    found = zip(records, texts, contexts, strict=True)
    return [
        ExportedRecord(record=anonymous(replace(record, text=text.text, context=context.text)), embedding=None)
        for record, text, context in found
    ]
