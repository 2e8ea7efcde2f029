"""Take a move back exactly, or say what stands in the way."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from ourcli.common.errors import InvalidInputError, NotFoundError
from ourcli.memory.ledger import FORGOTTEN, PINNED, Image, Ledger, LedgerEntry, Verb, holds
from ourcli.memory.lifecycle.moves import Move, Reason, change
from ourcli.memory.ports import RecordStore
from ourcli.memory.usage import UNUSED, UsageBook


class Undoing:
    """Finds the exact inverse of a ledger's entry.

    Args:
        store: The records.
        ledger: What was done.
        usage: Knows the pins.
        undo_days: So many days a move can be taken back.
    """

    def __init__(self, store: RecordStore, ledger: Ledger, usage: UsageBook, *, undo_days: int) -> None:
        self._store = store
        self._ledger = ledger
        self._usage = usage
        self._undo_days = undo_days

    async def entry(self, entry_id: str) -> LedgerEntry:
        """Return an entry.

        Raises:
            NotFoundError: There is none with this id.
        """
        entry = await self._ledger.entry(entry_id)
        if entry is None:
            raise NotFoundError(f"no move {entry_id!r} in the ledger", hint="`ourcli memory history` shows their ids")
        return entry

    async def inverse(self, entry_id: str, *, undo_id: str, now: datetime, trace_id: str) -> Move:
        """Return the move that takes an entry back.

        Raises:
            NotFoundError: There is no such entry.
            InvalidInputError: It is too old, undone already, or something depends on it; the message names what.
        """
        entry = await self.entry(entry_id)
        self._refuse_old(entry, now)
        self._refuse_lost(entry)
        if entry.undone_by is not None:
            raise InvalidInputError(
                f"the move {entry_id!r} is undone already, by {entry.undone_by!r}",
                hint=f"`ourcli memory undo {entry.undone_by}` does it again",
            )
        await self._refuse_changed(entry)
        pinned = entry.inputs.get(PINNED)
        reason = Reason(
            entry_id=undo_id,
            verb=Verb.UNDO,
            at=now,
            inputs={PINNED: not pinned} if isinstance(pinned, bool) else {},
            trace_id=trace_id,
            undoes=entry.id,
        )
        return change(reason, entry.after, entry.before, touched=entry.touched)

    def _refuse_old(self, entry: LedgerEntry, now: datetime) -> None:
        if now - entry.written_at > timedelta(days=self._undo_days):
            raise InvalidInputError(
                f"the move {entry.id!r} of {entry.written_at:%Y-%m-%d} is older than {self._undo_days} days "
                "and cannot be undone any more",
                hint="memory.undo_days says how long the ledger keeps what was before a move",
            )

    @staticmethod
    def _refuse_lost(entry: LedgerEntry) -> None:
        had = {side: {one.record.id for one in images} for side, images in enumerate((entry.before, entry.after))}
        lost = any(
            layer is not None and record_id not in had[side]
            for record_id, layers in entry.layers.items()
            for side, layer in enumerate(layers)
        )
        if lost or FORGOTTEN in entry.inputs:
            raise InvalidInputError(
                f"the ledger has no images of the move {entry.id!r} any more",
                hint="they were dropped with age, or a record of it was forgotten",
            )

    async def _refuse_changed(self, entry: LedgerEntry) -> None:
        """Refuse when the records are not as the entry left them, and say which move or change did that."""
        changed = await self._changed(entry)
        if not changed:
            return
        if later := await self._later(entry):
            raise InvalidInputError(
                f"later moves depend on the move {entry.id!r}: {', '.join(one.id for one in later)}",
                hint=f"undo them first, the last one first: ourcli memory undo {later[-1].id}",
            )
        raise InvalidInputError(
            f"the records of the move {entry.id!r} were changed or forgotten since: {', '.join(changed)}",
            hint="nothing was undone, as that would take these changes back too",
        )

    async def _changed(self, entry: LedgerEntry) -> list[str]:
        """Return the records that are not as the entry left them."""
        if PINNED in entry.inputs:
            usage = await self._usage.of(entry.touched)
            return [one for one in entry.touched if usage.get(one, UNUSED).pinned != entry.inputs[PINNED]]
        now = _by_id(await self._store.images(entry.touched))
        left = _by_id(entry.after)
        return [one for one in entry.touched if not _equal(now.get(one), left.get(one))]

    async def _later(self, entry: LedgerEntry) -> list[LedgerEntry]:
        """Return the later entries that still hold and touched the same records, in order.

        Of those that were taken back and done again it is the one that did it again.
        """
        entries = await self._ledger.of_records(entry.touched)
        undone_by = {one.id: one.undone_by for one in entries}
        by_id = {one.id: one for one in entries}
        places = {one.id: place for place, one in enumerate(entries)}
        own = frozenset(entry.touched)
        later = [one for one in entries[places[entry.id] + 1 :] if own.intersection(one.touched)]
        held = [one for one in later if one.verb is not Verb.UNDO and holds(one.id, undone_by)]
        plain = [one for one in held if (PINNED in one.inputs) == (PINNED in entry.inputs)]
        return sorted((by_id[_tip(one.id, undone_by)] for one in plain), key=lambda one: places[one.id])


def _tip(entry_id: str, undone_by: Mapping[str, str | None]) -> str:
    """Return the last entry of a chain of undoing and doing again."""
    while (following := undone_by.get(entry_id)) is not None:
        entry_id = following
    return entry_id


def _by_id(images: Sequence[Image]) -> dict[str, Image]:
    return {one.record.id: one for one in images}


def _equal(one: Image | None, other: Image | None) -> bool:
    return (one is None and other is None) or (one is not None and other is not None and one.same_as(other))
