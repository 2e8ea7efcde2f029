"""Give records that are about to be stored their context, looking up the turns before them."""

from collections.abc import Sequence
from dataclasses import replace

from ourcli.memory.ports import RecordStore
from ourcli.memory.query import Filter
from ourcli.memory.record import Record
from ourcli.memory.retrieval.context import Place, context_of, place_of, places_before

_RECENT_TURNS = 64
"""Among so many of a session's newest records the turn before is looked for."""


async def with_context(store: RecordStore, records: Sequence[Record]) -> list[Record]:
    """Return the records, each with the context it is found by; one that brings a context keeps it.

    The turn before is looked for among `records`, then in the store.
    """
    bare = [record for record in records if not record.context]
    said = await _stored(store, places_before(bare))
    said |= {place: record for record in records if (place := place_of(record))}
    return [record if record.context else replace(record, context=context_of(record, said)) for record in records]


async def _stored(store: RecordStore, places: set[Place]) -> dict[Place, Record]:
    """Return those of the turns that the store holds."""
    found: dict[Place, Record] = {}
    for project, session in sorted({(place.project, place.session) for place in places}):
        for record in await store.fetch(Filter(project=project, session=session), limit=_RECENT_TURNS):
            if (place := place_of(record)) in places and place is not None:
                found[place] = record
    return found
