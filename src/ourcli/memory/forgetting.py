"""What is to be forgotten: a record's words in all their versions, what was made from it, and the list of both.

A forgetting is written down before anything is removed, and crossed out when everything that may hold the record has
been asked: one that was cut off is finished when memory is opened next.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from ourcli.common.forgetting import Erasure
from ourcli.memory.ledger import Image, Ledger, LedgerEntry
from ourcli.memory.ports import RecordStore
from ourcli.memory.query import Filter
from ourcli.memory.record import Record
from ourcli.memory.retrieval.context import end_of

_IDS_A_QUERY = 500
_LONG = 12
"""A shorter text may stand in others by chance; only where it is all that was said before does it count."""


class ErasureBook(Protocol):
    """The list of what is being forgotten; it survives a power cut."""

    async def begin(self, what: Erasure) -> int:
        """Write down what is to be forgotten; return its number."""
        ...

    async def unfinished(self) -> list[tuple[int, Erasure]]:
        """Return what was begun and not finished, by number, oldest first."""
        ...

    async def finish(self, number: int) -> None:
        """Note that it was asked of everything: its texts are dropped, its ids stay until `clear`."""
        ...

    async def finished(self) -> list[tuple[int, Erasure]]:
        """Return what is finished and whose bytes may still stand in files; without texts."""
        ...

    async def clear(self, numbers: Sequence[int]) -> None:
        """Drop entries whose bytes are gone."""
        ...


class RecordsForgetting:
    """Forgets in the tables and their write journal; a `Forgettable`."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store

    @property
    def name(self) -> str:
        """What it is, for messages."""
        return "records"

    async def erase(self, what: Erasure) -> int:
        """Remove the records, and their words from the context of the turns after them; return how many were there."""
        for project, session in what.talks:
            await self._clean_context(Filter(project=project, session=session), what)
        return len(await self._store.delete(what.ids))

    async def _clean_context(self, where: Filter, what: Erasure) -> None:
        said = [one for one in await self._store.fetch(where) if one.id not in what.ids]
        telling = [one.id for one in said if without_words(one, what.texts) is not one]
        if telling:
            images = [
                Image(record=without_words(image.record, what.texts), vector=image.vector)
                for image in await self._store.images(telling)
            ]
            await self._store.upsert([one.record for one in images], np.stack([one.vector for one in images]))

    async def wipe(self) -> None:
        """Leave nothing of them in any file of the tables."""
        await self._store.erase()


def without_words(record: Record, texts: Sequence[str]) -> Record:
    """Return a record without the part of its context that repeats one of the texts: the turn before it."""
    head, _, before = record.context.partition("\n")
    ends = {end_of(text) for text in texts}
    long = [end for end in ends if len(end) >= _LONG]
    if before not in ends and not any(end in record.context for end in long):
        return record
    return replace(record, context="" if any(end in head for end in long) else head)


async def known(ids: Sequence[str], store: RecordStore, ledger: Ledger) -> frozenset[str]:
    """Return those of the ids that memory or the ledger knows."""
    there = {one.id for one in await store.fetch(Filter(ids=tuple(ids)))}
    told = {touched for entry in await ledger.of_records(ids) for touched in entry.touched}
    return frozenset(there | (told & set(ids)))


async def versions_of(ids: Sequence[str], store: RecordStore, ledger: Ledger) -> list[Record]:
    """Return records as they are and as the ledger saw them."""
    wanted = frozenset(ids)
    records = [one.record for one in await store.images(ids)]
    return records + [one.record for one in _images(await ledger.of_records(ids)) if one.record.id in wanted]


async def of_session(project: str, session: str, store: RecordStore, ledger: Ledger) -> tuple[str, ...]:
    """Return the ids of all that was said in a session, also of what is in the ledger only."""
    there = await store.fetch(Filter(project=project, session=session))
    seen = [one.record for one in _images(await ledger.since(None))]
    said: list[Record] = [*there, *(one for one in seen if (one.project, one.session) == (project, session))]
    return tuple(dict.fromkeys(one.id for one in said))


async def derived_from(ids: Sequence[str], store: RecordStore, ledger: Ledger) -> tuple[str, ...]:
    """Return the ids of all records that were made from these, and from those, and so on; the nearest first."""
    children = _children(await ledger.since(None))
    found: dict[str, None] = {}
    generation = tuple(dict.fromkeys(ids))
    seen = set(generation)
    while generation:
        new: dict[str, None] = {}
        for start in range(0, len(generation), _IDS_A_QUERY):
            where = Filter(parents=generation[start : start + _IDS_A_QUERY])
            new |= dict.fromkeys(one.id for one in await store.fetch(where))
        for parent in generation:
            new |= dict.fromkeys(children.get(parent, ()))
        generation = tuple(one for one in new if one not in seen)
        seen.update(generation)
        found |= dict.fromkeys(generation)
    return tuple(found)


def _children(entries: Iterable[LedgerEntry]) -> dict[str, list[str]]:
    """Return what was made from each record, as the ledger tells: also of records that are gone since."""
    children: dict[str, list[str]] = {}
    for entry in entries:
        for image in (*entry.before, *entry.after):
            for parent in image.record.parents:
                children.setdefault(parent, []).append(image.record.id)
        made = [record_id for record_id, (was, _) in entry.layers.items() if was is None]
        for source in entry.sources:
            children.setdefault(source.id, []).extend(one for one in made if one != source.id)
    return children


def _images(entries: Iterable[LedgerEntry]) -> list[Image]:
    return [image for entry in entries for image in (*entry.before, *entry.after)]
