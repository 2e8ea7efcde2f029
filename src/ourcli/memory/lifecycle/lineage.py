"""Where a record came from: its parents up to the roots, those that are gone as the ledger saw them."""

from collections.abc import Iterable, Mapping, Sequence

from ourcli.common.errors import NotFoundError
from ourcli.memory.ledger import Ledger, LedgerEntry
from ourcli.memory.lifecycle.outcome import Ancestor, Explained
from ourcli.memory.ports import RecordStore
from ourcli.memory.query import Filter
from ourcli.memory.record import Record

_MOST_GENERATIONS = 64


async def explain(store: RecordStore, ledger: Ledger, record_id: str) -> Explained:
    """Return where a record came from and every move that touched it or its ancestors.

    Raises:
        NotFoundError: Neither memory nor the ledger knows it.
    """
    here = await _records(store, [record_id])
    entries = {one.id: one for one in await ledger.of_records([record_id])}
    if not here and not entries:
        raise NotFoundError(f"no record {record_id!r}", hint="`ourcli memory list` shows the ids there are")
    lineage: dict[str, Ancestor] = {}
    generation = _parents(record_id, here.get(record_id), entries.values())
    for _ in range(_MOST_GENERATIONS):
        new = [one for one in generation if one not in lineage and one != record_id]
        if not new:
            break
        there = await _records(store, new)
        told = await ledger.of_records(new)
        entries |= {one.id: one for one in told}
        for one in new:
            lineage[one] = Ancestor(id=one, record=there.get(one) or _last_seen(one, told), gone=one not in there)
        generation = [parent for one in new for parent in _parents(one, lineage[one].record, told)]
    ordered = await ledger.of_records([record_id, *lineage])
    return Explained(record=here.get(record_id), lineage=tuple(lineage.values()), ledger=tuple(ordered))


async def _records(store: RecordStore, ids: Sequence[str]) -> Mapping[str, Record]:
    return {one.id: one for one in await store.fetch(Filter(ids=tuple(ids)))}


def _last_seen(record_id: str, entries: Sequence[LedgerEntry]) -> Record | None:
    """Return the record as it was when a move last changed or removed it, if the ledger still has that."""
    images = [image for entry in reversed(entries) for image in (*entry.after, *entry.before)]
    return next((image.record for image in images if image.record.id == record_id), None)


def _parents(record_id: str, record: Record | None, entries: Iterable[LedgerEntry]) -> list[str]:
    """Return what a record was made from; of one that nobody has any more, what the move that made it names."""
    if record is not None:
        return list(record.parents)
    made = [one for one in entries if one.layers.get(record_id, ("", None))[0] is None and one.undoes is None]
    return [source.id for one in made for source in one.sources if source.id != record_id]
