"""The ledger: every move of memory with its reason, and what was before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

import numpy as np

from ourcli.common.ids import made_at
from ourcli.memory.record import Record
from ourcli.memory.vectors import Vector

PINNED = "pinned"
"""In the inputs of an entry that sets or takes a pin: what becomes of it."""
FORGOTTEN = "forgotten"
"""In the inputs of an entry of which a record was forgotten since."""


class Verb(StrEnum):
    """What a move does."""

    PROMOTE = "promote"
    DEMOTE = "demote"
    SUMMARISE = "summarise"
    EXPIRE = "expire"
    TAG = "tag"
    PIN = "pin"
    UNPIN = "unpin"
    UNDO = "undo"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Image:
    """A record as it stood at a moment, with its vector; what undo brings back."""

    record: Record
    vector: Vector

    def same_as(self, other: "Image") -> bool:
        """Say whether another image is equal, byte for byte."""
        mine, theirs = np.asarray(self.vector, dtype="<f4"), np.asarray(other.vector, dtype="<f4")
        return self.record == other.record and mine.tobytes() == theirs.tobytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDigest:
    """A record that something was made from, and the hex sha256 of its text then."""

    id: str
    sha256: str

    @classmethod
    def of(cls, record: Record) -> "SourceDigest":
        """Return the digest of a record's text as UTF-8."""
        return cls(id=record.id, sha256=sha256(record.text.encode("utf-8", "replace")).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LedgerEntry:
    """One effect, whole: it happened entirely or not at all.

    Attributes:
        id: uuid7 of the entry, which tells when it was written.
        verb: What was done.
        rule: The rule that asked for it, or `user` for a command of the user's.
        rule_version: Digest of the rule's content; "" for `user`.
        at: When it took effect, aware UTC: for rules the moment that they were asked about, else when it was written.
        inputs: The facts and thresholds that decided: plain JSON data.
        before: The records it changed or removed, as they were. Empty once `memory.undo_days` have passed.
        after: The records it changed or made, as they became. Empty once `memory.undo_days` have passed.
        touched: Ids of all records of `before` and `after`; stays when the images go.
        layers: For each touched id its layer before and after, None where it was not there.
        sources: What a new text was made from.
        trace_id: The run or trace that did it, or "".
        undoes: The entry that this one takes back, or None.
        undone_by: The entry that took this one back, or None.
    """

    id: str
    verb: Verb
    rule: str
    rule_version: str
    at: datetime
    inputs: Mapping[str, object] = field(default_factory=dict)
    before: tuple[Image, ...] = ()
    after: tuple[Image, ...] = ()
    touched: tuple[str, ...] = ()
    layers: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    sources: tuple[SourceDigest, ...] = ()
    trace_id: str = ""
    undoes: str | None = None
    undone_by: str | None = None

    @property
    def written_at(self) -> datetime:
        """When it was done, whatever moment the rules were asked about; undo counts its days from here."""
        return made_at(self.id)


def holds(entry_id: str, undone_by: Mapping[str, str | None]) -> bool:
    """Say whether what an entry did still holds: it was not taken back, or taking it back was taken back.

    Args:
        entry_id: The entry.
        undone_by: For every entry the one that took it back, or None.
    """
    held = True
    following = undone_by.get(entry_id)
    while following is not None:
        held, following = not held, undone_by.get(following)
    return held


def last_that_holds(entries: Sequence[LedgerEntry]) -> LedgerEntry | None:
    """Return the last entry that did something which still holds, or did it again; None when there is none.

    Args:
        entries: The last written first.
    """
    by_id = {one.id: one for one in entries}
    return next((one for one in entries if one.undone_by is None and _moves(one, by_id)), None)


def _moves(entry: LedgerEntry, by_id: Mapping[str, LedgerEntry]) -> bool:
    """Say whether an entry does something, or does it again; False when it takes something back."""
    moves, earlier = True, entry.undoes
    while earlier is not None:
        moves = not moves
        earlier = by_id[earlier].undoes if earlier in by_id else None
    return moves


class Ledger(Protocol):
    """Reads the ledger. Entries are written by `RecordStore.commit` only, together with what they tell of."""

    async def entry(self, entry_id: str) -> LedgerEntry | None:
        """Return one entry, or None."""
        ...

    async def of_records(self, ids: Sequence[str]) -> list[LedgerEntry]:
        """Return the entries that touched any of these records or name one as a source, in the order of writing."""
        ...

    async def since(self, at: datetime | None, *, limit: int | None = None) -> list[LedgerEntry]:
        """Return the entries from `at` on (None: all), those that were written last first."""
        ...

    async def settled(self) -> dict[str, datetime]:
        """Return when each record came to its layer by a promotion, demotion or summary that still holds."""
        ...

    async def taken_back(self) -> frozenset[tuple[str, SourceDigest]]:
        """Return which version of a rule moved which text in a move that a person took back and that stays so."""
        ...

    async def trim(self, before: datetime) -> int:
        """Drop the images (not the digests) of entries written before a moment; return how many lost theirs."""
        ...
