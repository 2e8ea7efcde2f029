"""Finds what a new decision contradicts among the older ones of its project."""

from collections.abc import Sequence

from ourcli.memory.contradiction.compare import contradiction
from ourcli.memory.contradiction.statement import statements
from ourcli.memory.layers import Layer
from ourcli.memory.policy.loops import SUMMARY_KIND
from ourcli.memory.ports import RecordTables
from ourcli.memory.query import Filter
from ourcli.memory.record import Record, Trust
from ourcli.memory.stored import Contradiction
from ourcli.memory.vectors import Vector

DECISION = "decision"
"""The tag, and the kind, of what was decided."""
_NEIGHBOURS = 12
"""How many of the nearest records of a layer are read."""
_LEAST_COSINE = 0.25
"""Below this two texts are about different things."""
_MOST = 3


def is_decision(record: Record) -> bool:
    """Say whether a record states something that holds until it is changed: a decision, or what a user noted."""
    noted = record.layer is Layer.INSIGHTS and record.trust is Trust.USER
    return DECISION in record.tags or record.kind == DECISION or noted


async def find_contradictions(store: RecordTables, record: Record, vector: Vector) -> tuple[Contradiction, ...]:
    """Return what a record contradicts among the decisions of its project, the newest first, three at most.

    Args:
        store: Where the older records are.
        record: The new record; none that is no decision contradicts anything.
        vector: Its vector, shape [384].

    Raises:
        StoreError: The store cannot be read.
    """
    if not is_decision(record):
        return ()
    new = statements(record.text)
    found = [
        Contradiction(id=record.id, record_id=older.id, text=older.text, why=why)
        for older in (await _older_decisions(store, record, vector) if new else ())
        if (why := contradiction(new, statements(older.text)))
    ]
    return tuple(found[:_MOST])


async def _older_decisions(store: RecordTables, record: Record, vector: Vector) -> Sequence[Record]:
    """Return the decisions near a record in meaning that are not newer than it, the newest first."""
    ids: list[str] = []
    for where in _places(record.project):
        leg = await store.nearest(where.layers[0], vector, where, _NEIGHBOURS)
        ids += [one for one, score in zip(leg.ids, leg.scores, strict=True) if score >= _LEAST_COSINE]
    apart = [one for one in ids if one != record.id and one not in record.parents]
    if not apart:
        return ()
    return [one for one in await store.fetch(Filter(ids=tuple(apart))) if is_decision(one) and one.ts <= record.ts]


def _places(project: str) -> tuple[Filter, ...]:
    """Return where decisions are: in insights, said in chats, and summed up among the assets.

    A filter by kind costs half of one by tag.
    """
    return (
        Filter(project=project, layers=(Layer.INSIGHTS,)),
        Filter(project=project, layers=(Layer.INTERACT,), tags=(DECISION,)),
        Filter(project=project, layers=(Layer.ASSETS,), kind=SUMMARY_KIND),
    )
