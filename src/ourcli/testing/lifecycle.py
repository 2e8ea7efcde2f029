"""The lifecycle side of the fake facade: it answers from what the test put into it."""

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from ourcli.app.memory.moves import ShownRule
from ourcli.common.errors import InvalidInputError, NotFoundError
from ourcli.common.events import EventSink, NullSink, ProgressMade
from ourcli.memory.inbox import Proposal
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Image, LedgerEntry, SourceDigest, Verb
from ourcli.memory.lifecycle.outcome import Ancestor, Applied, Explained
from ourcli.memory.policy.action import Action
from ourcli.memory.policy.check import Problem
from ourcli.memory.record import DIMS, Record

_QUIET = NullSink()
NOON = datetime(2026, 1, 3, 12, 0, tzinfo=UTC)
RULE_VERSION = "ab12" * 16


def an_action(record_id: str = "0190-1", **changes: object) -> Action:
    """Return the promotion of one record."""
    base = Action(
        rule="promote-decision",
        rule_version=RULE_VERSION,
        verb=Verb.PROMOTE,
        record_ids=(record_id,),
        origin=Layer.INTERACT,
        target=Layer.INSIGHTS,
        because="it is 33 h old (more than 24 h) and tagged decision",
        inputs={"age_hours": 33, "older_than_hours": 24, "tags": ["decision"]},
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names fields of Action


def an_entry(record: Record, number: int = 1, **changes: object) -> LedgerEntry:
    """Return the ledger's entry of that promotion."""
    before = replace(record, layer=Layer.INTERACT)
    base = LedgerEntry(
        id=f"0191-{number}",
        verb=Verb.PROMOTE,
        rule="promote-decision",
        rule_version=RULE_VERSION,
        at=NOON,
        inputs={"because": an_action().because, **an_action().inputs},
        before=(_image(before),),
        after=(_image(record),),
        touched=(record.id,),
        layers={record.id: (before.layer.value, record.layer.value)},
        sources=(SourceDigest.of(before),),
        trace_id="trace-1",
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names fields of LedgerEntry


def _image(record: Record) -> Image:
    vector = np.zeros(DIMS, dtype=np.float32)
    vector[0] = 1.0
    return Image(record=record, vector=vector)


class FakeLifecycle:
    """Answer what the attributes say; note what was asked in `calls`.

    Args:
        stored: The records of the facade.
        begin: Told every call; raises what the test wants raised.
    """

    def __init__(self, stored: MutableMapping[str, Record], begin: Callable[..., None]) -> None:
        self.stored = stored
        self._begin = begin
        self.entries: list[LedgerEntry] = []
        self.due: list[Action] = []
        self.waiting: list[Proposal] = []
        self.skipped: tuple[str, ...] = ()
        self.pinned: set[str] = set()
        self.found: list[Problem] = []
        self.refuses_undo: str = ""

    def _record(self, record_id: str) -> Record:
        if record_id not in self.stored:
            raise NotFoundError(f"no record {record_id!r}", hint="`ourcli memory list` shows the ids there are")
        return self.stored[record_id]

    async def why(self, record_id: str) -> Explained:
        """Return the record, its parents and its moves."""
        self._begin("why", record_id)
        touching = tuple(entry for entry in self.entries if record_id in entry.touched)
        record = self.stored.get(record_id) if touching else self._record(record_id)
        parents = record.parents if record else ()
        lineage = tuple(
            Ancestor(id=parent, record=self.stored.get(parent), gone=parent not in self.stored) for parent in parents
        )
        return Explained(record=record, lineage=lineage, ledger=touching)

    async def history(self, since: datetime | None) -> Sequence[LedgerEntry]:
        """Return the entries from a moment on, newest first."""
        self._begin("history", since)
        return [entry for entry in reversed(self.entries) if since is None or entry.at >= since]

    async def undo(self, entry_id: str) -> LedgerEntry:
        """Take an entry back, or refuse with `refuses_undo`."""
        self._begin("undo", entry_id)
        known = {entry.id: place for place, entry in enumerate(self.entries)}
        if entry_id not in known:
            raise NotFoundError(f"no ledger entry {entry_id!r}", hint="`ourcli memory history` lists them")
        if self.refuses_undo:
            raise InvalidInputError(f"{entry_id} cannot be undone", hint=self.refuses_undo)
        taken = self.entries[known[entry_id]]
        undoing = replace(
            taken,
            id=f"0191-{len(self.entries) + 1}",
            verb=Verb.UNDO,
            rule="user",
            rule_version="",
            at=taken.at + timedelta(hours=1),
            before=taken.after,
            after=taken.before,
            layers={touched: (after, before) for touched, (before, after) in taken.layers.items()},
            undoes=entry_id,
        )
        self.entries[known[entry_id]] = replace(taken, undone_by=undoing.id)
        self.entries.append(undoing)
        self.stored.update({image.record.id: image.record for image in taken.before})
        return undoing

    async def pin(self, ids: Sequence[str], *, pinned: bool) -> tuple[str, ...]:
        """Keep the pins in `pinned`."""
        self._begin("pin", tuple(ids), pinned)
        changed = tuple(self._record(record_id).id for record_id in ids if (record_id in self.pinned) is not pinned)
        self.pinned = self.pinned | set(changed) if pinned else self.pinned - set(changed)
        return changed

    async def promote(self, record_id: str, target: Layer) -> LedgerEntry:
        """Move a stored record."""
        self._begin("promote", record_id, target)
        return self._moved(record_id, target, Verb.PROMOTE)

    async def demote(self, record_id: str) -> LedgerEntry:
        """Move a stored record to the assets."""
        self._begin("demote", record_id)
        return self._moved(record_id, Layer.ASSETS, Verb.DEMOTE)

    def _moved(self, record_id: str, target: Layer, verb: Verb) -> LedgerEntry:
        before = self._record(record_id)
        after = replace(before, layer=target)
        entry = an_entry(
            after,
            len(self.entries) + 1,
            verb=verb,
            rule="user",
            rule_version="",
            inputs={},
            before=(_image(before),),
            layers={record_id: (before.layer.value, target.value)},
        )
        self.stored[record_id] = after
        self.entries.append(entry)
        return entry

    async def rules(self) -> Sequence[ShownRule]:
        """Return one shipped rule."""
        self._begin("rules")
        rule = ShownRule(
            name="promote-decision",
            version=RULE_VERSION,
            shipped=True,
            table={
                "name": "promote-decision",
                "when": {"layer": "interact", "older_than": "24h", "tags": ["decision"]},
                "then": {"do": "promote", "to": "insights", "distil": True},
            },
        )
        return (rule,)

    async def problems(self) -> Sequence[Problem]:
        """Return `found`."""
        self._begin("problems")
        return tuple(self.found)

    async def simulate(self, at: datetime | None) -> Sequence[Action]:
        """Return `due`."""
        self._begin("simulate", at)
        return tuple(self.due)

    async def apply(self, at: datetime | None, listen: EventSink = _QUIET) -> Applied:
        """Say that all of `due` was done, one after the other."""
        self._begin("apply", at)
        for done in range(1, len(self.due) + 1):
            listen.emit(ProgressMade(at=NOON, task="moving", done=done, total=None, unit="moves"))
        return Applied(actions=tuple(self.due), entries=tuple(self.entries), skipped=self.skipped)

    async def inbox(self) -> Sequence[Proposal]:
        """Return `waiting`."""
        self._begin("inbox")
        return tuple(self.waiting)

    async def accept(self, ids: Sequence[str], listen: EventSink = _QUIET) -> Applied:  # noqa: ARG002  # the port's shape
        """Take actions out of `waiting`."""
        taken = self._take("accept", ids)
        return Applied(actions=tuple(one.action for one in taken), entries=tuple(self.entries))

    async def reject(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Take actions out of `waiting`."""
        return tuple(one.id for one in self._take("reject", ids))

    def _take(self, name: str, ids: Sequence[str]) -> list[Proposal]:
        self._begin(name, tuple(ids))
        known = {one.id: one for one in self.waiting}
        for identifier in ids:
            if identifier not in known:
                raise NotFoundError(f"nothing {identifier!r} waits", hint="`ourcli memory inbox list` shows what does")
        self.waiting = [one for one in self.waiting if one.id not in ids]
        return [known[identifier] for identifier in ids]
