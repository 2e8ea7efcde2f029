"""Carries actions out: each effect is one commit, and only on records that are still what was decided on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ourcli.common.clock import Clock
from ourcli.common.errors import StoreConflictError
from ourcli.common.events import Event, EventSink, MoveSkipped, NullSink, RecordsExpired, RecordsMoved
from ourcli.common.ids import new_id
from ourcli.memory.ledger import Image, LedgerEntry, Verb
from ourcli.memory.lifecycle.moves import Move, Reason, change, relaid, tagged, version
from ourcli.memory.policy.action import Action
from ourcli.memory.ports import RecordStore
from ourcli.memory.usage import UNUSED, UsageBook

_QUIET = NullSink()
_TOGETHER = 64
"""Effects that share one commit: each is still done entirely or not at all."""
_CHANGED = "changed meanwhile, or is gone"


class Condenser(Protocol):
    """Makes shorter texts of records; needs no more than reading them, writes nothing."""

    async def distilled(self, image: Image) -> Image:
        """Return a record with the sentences that carry its decision, and the vector of them."""
        ...

    async def summary(self, images: Sequence[Image], at: datetime) -> Image:
        """Return a new record that sums others up, `parents` naming them, and its vector."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An action and what it was decided on.

    Attributes:
        action: What is to be done.
        versions: For each of its records the digest of what was looked at (`moves.version`).
    """

    action: Action
    versions: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class Done:
    """What became of actions, filled as they are carried out."""

    actions: list[Action] = field(default_factory=list)
    entries: list[LedgerEntry] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


class Mover:
    """Carries actions out.

    Args:
        store: The records; its commit writes the ledger too.
        usage: Knows the pins.
        condenser: Makes shorter texts.
        clock: Time.
        sink: Told what was done.
    """

    def __init__(
        self, store: RecordStore, usage: UsageBook, *, condenser: Condenser, clock: Clock, sink: EventSink
    ) -> None:
        self._store = store
        self._usage = usage
        self._condenser = condenser
        self._clock = clock
        self._sink = sink

    async def carry_out(self, due: Sequence[Due], at: datetime, trace_id: str, listen: EventSink) -> Done:
        """Do what is due, in order; what changed since it was decided is skipped and told.

        Args:
            due: Actions in the order in which they were decided.
            at: When they take effect, for the ledger.
            trace_id: The run or trace that does it.
            listen: Told what was done and skipped, besides the sink.

        Raises:
            StoreError: The store cannot be written; what was done before stays done.
            ModelError: A text is to be shortened and its vector cannot be made.
        """
        run = _Run(at=at, trace_id=trace_id, done=Done(), ours={}, listen=listen)
        for together in _batches(due):
            await self._carry_out(together, run)
        return run.done

    async def _carry_out(self, together: Sequence[Due], run: "_Run") -> None:
        ready = [one for one, refused in await self._checked(together, run) if not self._refused(one, refused, run)]
        if not ready:
            return
        moves = [await self._move(one, run) for one in ready]
        try:
            await self._refuse_pinned(run)
            await self.commit(moves, run.listen)
        except StoreConflictError:
            if len(together) == 1:
                self._refused(ready[0], _CHANGED, run)
                return
            for one in ready:
                await self._carry_out([one], run)
            return
        for one, move in zip(ready, moves, strict=True):
            run.done.actions.append(one.action)
            run.done.entries.append(move.entry)
            self._remember(one, move, run)

    def _refused(self, due: Due, reason: str, run: "_Run") -> bool:
        """Tell why an action is skipped; False when there is no reason."""
        if reason:
            action = due.action
            run.done.skipped.append(f"{action.rule} ({action.verb}) of {', '.join(action.record_ids)}: {reason}")
            skipped = MoveSkipped(
                at=self._clock.now(), rule=action.rule, verb=action.verb, ids=action.record_ids, reason=reason
            )
            self._sink.emit(skipped)
            run.listen.emit(skipped)
        return bool(reason)

    async def _checked(self, together: Sequence[Due], run: "_Run") -> list[tuple[Due, str]]:
        """Return each action with the reason why it must not be done any more, "" for none."""
        ids = [record_id for one in together for record_id in one.action.record_ids]
        images: dict[str, Image] = {one.record.id: one for one in await self._store.images(ids)}
        usage = await self._usage.of(ids)
        run.images, run.pins = images, {one: usage.get(one, UNUSED).pinned for one in ids}
        checked = []
        for one in together:
            expected = {record_id: run.expected(record_id, decided) for record_id, decided in one.versions.items()}
            changed = [
                record_id
                for record_id in one.action.record_ids
                if record_id not in images
                or version(images[record_id].record, pinned=run.pins[record_id]) != expected.get(record_id)
            ]
            checked.append((one, f"{', '.join(changed)} {_CHANGED}" if changed else ""))
        return checked

    async def _refuse_pinned(self, run: "_Run") -> None:
        """Refuse what was pinned, or set free, while a text was shortened."""
        usage = await self._usage.of(tuple(run.pins))
        if any(usage.get(one, UNUSED).pinned != pinned for one, pinned in run.pins.items()):
            raise StoreConflictError("a record was pinned meanwhile", hint="nothing was done")

    async def _move(self, due: Due, run: "_Run") -> Move:
        action = due.action
        before = [run.images[record_id] for record_id in action.record_ids]
        reason = Reason(
            entry_id=new_id(self._clock.now()),
            verb=action.verb,
            at=run.at,
            rule=action.rule,
            rule_version=action.rule_version,
            inputs={"because": action.because, **action.inputs},
            trace_id=run.trace_id,
        )
        return change(reason, before, await self._after(action, before))

    async def _after(self, action: Action, before: Sequence[Image]) -> list[Image]:
        """Return what the records become."""
        if action.verb is Verb.EXPIRE or action.target is None:
            return []
        if action.verb is Verb.SUMMARISE:
            made = await self._condenser.summary(before, self._clock.now())
            return [relaid(tagged(made, action.tags), action.target)]
        shorter = [await self._condenser.distilled(one) for one in before] if action.distil else before
        return [tagged(relaid(one, action.target), action.tags) for one in shorter]

    async def commit(self, moves: Sequence[Move], listen: EventSink = _QUIET) -> None:
        """Commit moves together, and tell of them.

        Raises:
            StoreConflictError: A record is not any more what a move tells; none of them was done.
            StoreError: None of them was done.
        """
        await self._store.commit(
            upserts=[image for one in moves for image in one.upserts],
            deletes=[record_id for one in moves for record_id in one.deletes],
            entries=[one.entry for one in moves],
        )
        for one in moves:
            if one.entry.undoes is None:
                told = _told(one.entry, self._clock.now())
                self._sink.emit(told)
                listen.emit(told)

    @staticmethod
    def _remember(due: Due, move: Move, run: "_Run") -> None:
        """Later actions of this run were decided on what this one leaves."""
        for image in move.upserts:
            record_id = image.record.id
            if record_id in due.versions:
                became = version(image.record, pinned=run.pins[record_id])
                run.ours[record_id] = (due.versions[record_id], became)


@dataclass(slots=True, kw_only=True)
class _Run:
    """One call's state: what it looked at last, and what it made of records that later actions are about."""

    at: datetime
    trace_id: str
    done: Done
    ours: dict[str, tuple[str, str]]
    listen: EventSink
    images: Mapping[str, Image] = field(default_factory=dict)
    pins: Mapping[str, bool] = field(default_factory=dict)

    def expected(self, record_id: str, decided: str) -> str:
        """Return the version that a record must have now: as it was decided on, or as we left it after that."""
        was, became = self.ours.get(record_id, (decided, decided))
        return became if was == decided else decided


def _batches(due: Sequence[Due]) -> Iterator[list[Due]]:
    """Yield actions that can share a commit: none that shortens texts, which takes long, and each record once."""
    together: list[Due] = []
    seen: set[str] = set()
    for one in due:
        ids = one.action.record_ids
        alone = one.action.distil or one.action.verb is Verb.SUMMARISE
        if together and (alone or len(together) == _TOGETHER or not seen.isdisjoint(ids)):
            yield together
            together, seen = [], set()
        if alone:
            yield [one]
            continue
        together.append(one)
        seen.update(ids)
    if together:
        yield together


def _told(entry: LedgerEntry, at: datetime) -> Event:
    if entry.verb is Verb.EXPIRE:
        return RecordsExpired(at=at, entry=entry.id, rule=entry.rule, ids=entry.touched)
    targets = {became for _, became in entry.layers.values() if became is not None}
    return RecordsMoved(
        at=at,
        entry=entry.id,
        verb=entry.verb,
        rule=entry.rule,
        ids=entry.touched,
        target=targets.pop() if len(targets) == 1 else "",
    )
