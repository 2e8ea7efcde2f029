"""Moves as values: what is written, what is removed, and the ledger's entry that tells of both."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from hashlib import sha256

from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Image, LedgerEntry, SourceDigest, Verb
from ourcli.memory.record import Record, Source

_FIELDS = tuple(field.name for field in fields(Record))
BY_HAND = "user"
"""What the ledger names as the rule of a command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a move is made, and when: what the ledger says besides what was moved.

    Attributes:
        entry_id: uuid7 of the entry.
        verb: What is done.
        at: When it takes effect, aware UTC.
        rule: The rule's name, or `user`.
        rule_version: Digest of the rule's content; "" for `user`.
        inputs: Facts and thresholds as plain JSON data.
        trace_id: The run or trace that does it.
        undoes: The entry that is taken back, or None.
    """

    entry_id: str
    verb: Verb
    at: datetime
    rule: str = BY_HAND
    rule_version: str = ""
    inputs: Mapping[str, object] | None = None
    trace_id: str = ""
    undoes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One effect, ready to be committed."""

    upserts: tuple[Image, ...]
    deletes: tuple[str, ...]
    entry: LedgerEntry


def change(
    reason: Reason, before: Sequence[Image], after: Sequence[Image], *, touched: Sequence[str] | None = None
) -> Move:
    """Return the move from one state of some records to another one.

    What stands in `before` only is removed, what stands in `after` only is made. Its sources are the texts of before;
    for a move that is taken back there are none: nothing was made of them.

    Args:
        reason: Why.
        before: The records as they are.
        after: The records as they become.
        touched: Ids of the records it is about, where that is not what the images say: a pin has none.
    """
    were = {one.record.id: one.record.layer.value for one in before}
    become = {one.record.id: one.record.layer.value for one in after}
    both = tuple(dict.fromkeys((*were, *become)))
    sources = () if reason.undoes else tuple(SourceDigest.of(one.record) for one in before)
    return Move(
        upserts=tuple(after),
        deletes=tuple(record_id for record_id in were if record_id not in become),
        entry=LedgerEntry(
            id=reason.entry_id,
            verb=reason.verb,
            rule=reason.rule,
            rule_version=reason.rule_version,
            at=reason.at,
            inputs=dict(reason.inputs or {}),
            before=tuple(before),
            after=tuple(after),
            touched=both if touched is None else tuple(touched),
            layers={record_id: (were.get(record_id), become.get(record_id)) for record_id in both},
            sources=sources,
            trace_id=reason.trace_id,
            undoes=reason.undoes,
        ),
    )


def relaid(image: Image, layer: Layer) -> Image:
    """Return a record's image in another layer."""
    return Image(record=replace(image.record, layer=layer), vector=image.vector)


def tagged(image: Image, tags: Sequence[str]) -> Image:
    """Return a record's image with more tags."""
    together = tuple(dict.fromkeys((*image.record.tags, *tags)))
    return Image(record=replace(image.record, tags=together), vector=image.vector)


def version(record: Record, *, pinned: bool) -> str:
    """Return a digest of all that is stored of a record, its vector apart, and whether it is pinned."""
    values = [getattr(record, name) for name in _FIELDS]
    return sha256(json.dumps([values, pinned], default=_plain).encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Source):
        return [value.uri, value.lines, value.sha256, value.page]
    raise TypeError(f"{type(value).__name__} is no JSON data")
