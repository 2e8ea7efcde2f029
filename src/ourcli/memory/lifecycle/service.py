"""How records move, why, and how a move is taken back."""

from collections.abc import Container, Mapping, Sequence
from datetime import datetime, timedelta

from ourcli.common.clock import Clock
from ourcli.common.errors import InvalidInputError, NotFoundError
from ourcli.common.events import EventSink, MoveUndone, NullSink
from ourcli.common.ids import new_id
from ourcli.memory.inbox import Inbox, Proposal, Verdict
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import PINNED, Image, Ledger, LedgerEntry, SourceDigest, Verb
from ourcli.memory.lifecycle.gathering import gather_facts
from ourcli.memory.lifecycle.lineage import explain
from ourcli.memory.lifecycle.mover import Condenser, Due, Mover
from ourcli.memory.lifecycle.moves import Move, Reason, change, relaid, version
from ourcli.memory.lifecycle.outcome import Applied, Explained
from ourcli.memory.lifecycle.undoing import Undoing
from ourcli.memory.policy.action import Action
from ourcli.memory.policy.decide import decide
from ourcli.memory.policy.rule import Rule
from ourcli.memory.ports import RecordStore
from ourcli.memory.usage import UNUSED, UsageBook

_QUIET = NullSink()
_DOWN: Mapping[Layer, Layer] = {Layer.INSIGHTS: Layer.ASSETS}
"""Where a demotion leads; the first layer's records expire, the last layer has nothing below it."""


class Lifecycle:
    """Moves records between the layers, by rules and at the user's word.

    Args:
        store: The records; its commit writes the ledger too.
        ledger: What was done.
        usage: How records are used, and pins.
        inbox: Keeps moves that wait for a person.
        rules: In their order.
        condenser: Makes shorter texts.
        clock: Time.
        sink: Told what was done.
        undo_days: So many days a move can be taken back.
        ask_first: Let the moves of rules wait in the inbox.
    """

    def __init__(  # noqa: PLR0913  # the composition root hands over every part by name
        self,
        *,
        store: RecordStore,
        ledger: Ledger,
        usage: UsageBook,
        inbox: Inbox,
        rules: Sequence[Rule],
        condenser: Condenser,
        clock: Clock,
        sink: EventSink = _QUIET,
        undo_days: int = 30,
        ask_first: bool = False,
    ) -> None:
        self._store, self._ledger, self._usage, self._inbox = store, ledger, usage, inbox
        self._rules, self._clock, self._sink = tuple(rules), clock, sink
        self._ask_first = ask_first
        self._undo_days = undo_days
        self._undoing = Undoing(store, ledger, usage, undo_days=undo_days)
        self._mover = Mover(store, usage, condenser=condenser, clock=clock, sink=sink)

    # Rules

    async def simulate(self, at: datetime | None = None) -> tuple[Action, ...]:
        """Return what the rules ask for at a moment (None: now); change nothing."""
        return tuple(one.action for one in await self._due(at or self._clock.now()))

    async def apply(
        self,
        at: datetime | None = None,
        listen: EventSink = _QUIET,
        *,
        trace_id: str | None = None,
        verbs: Container[Verb] | None = None,
    ) -> Applied:
        """Do what `simulate` announces for the same moment, or let it wait in the inbox.

        What another process changed or moved in between is skipped, and told.

        Args:
            at: The moment that counts, aware; None: now. The ledger names it as the time of the moves.
            listen: Told every move.
            trace_id: The run that asks; a new id where there is none.
            verbs: Do only these of what is announced; None: all.

        Raises:
            StoreError: The store cannot be written; what was done before stays done.
            ModelError: A text is to be shortened and its vector cannot be made.
        """
        moment = at or self._clock.now()
        due = tuple(one for one in await self._due(moment) if verbs is None or one.action.verb in verbs)
        if self._ask_first:
            return await self._propose(due)
        return await self._carry_out(due, moment, trace_id or self._new_id(), listen)

    async def _due(self, at: datetime) -> tuple[Due, ...]:
        facts = await gather_facts(self._store, self._ledger, self._usage, self._rules, at)
        actions = decide(self._rules, facts.values(), at)
        return tuple(
            Due(
                action=action,
                versions={one: version(facts[one].record, pinned=facts[one].usage.pinned) for one in action.record_ids},
            )
            for action in actions
        )

    async def _carry_out(self, due: Sequence[Due], at: datetime, trace_id: str, listen: EventSink) -> Applied:
        done = await self._mover.carry_out(due, at, trace_id, listen)
        return Applied(actions=tuple(done.actions), entries=tuple(done.entries), skipped=tuple(done.skipped))

    # The inbox

    async def _propose(self, due: Sequence[Due]) -> Applied:
        now = self._clock.now()
        proposals = [
            Proposal(
                id=self._new_id(),
                at=now,
                action=one.action,
                versions=tuple(SourceDigest(id=key, sha256=digest) for key, digest in one.versions.items()),
            )
            for one in due
        ]
        await self._inbox.propose(proposals)
        waiting = tuple(one.action for one in await self._inbox.waiting())
        return Applied(actions=waiting, waiting=len(waiting))

    async def inbox_list(self) -> tuple[Proposal, ...]:
        """Return the moves that wait for a person, oldest first."""
        return tuple(await self._inbox.waiting())

    async def inbox_accept(self, ids: Sequence[str], listen: EventSink = _QUIET) -> Applied:
        """Carry out moves that wait. What changed since it was proposed is refused, told, and dropped.

        Raises:
            NotFoundError: One of them does not wait; nothing was done.
            StoreError: The store cannot be written.
        """
        proposals = [await self._waiting(one) for one in dict.fromkeys(ids)]
        due = [
            Due(action=one.action, versions={version_.id: version_.sha256 for version_ in one.versions})
            for one in proposals
        ]
        applied = await self._carry_out(due, self._clock.now(), self._new_id(), listen)
        done = {id(action) for action in applied.actions}
        for one in proposals:
            await self._inbox.decide(one.id, Verdict.ACCEPTED if id(one.action) in done else Verdict.STALE)
        return applied

    async def inbox_reject(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Drop moves that wait, and do not propose them again; return their ids.

        Raises:
            NotFoundError: One of them does not wait; nothing was done.
        """
        proposals = [await self._waiting(one) for one in dict.fromkeys(ids)]
        return tuple([one.id for one in proposals if await self._inbox.decide(one.id, Verdict.REJECTED)])

    async def _waiting(self, proposal_id: str) -> Proposal:
        proposal = await self._inbox.proposal(proposal_id)
        if proposal is None or proposal.verdict is not Verdict.WAITING:
            raise NotFoundError(f"nothing waits as {proposal_id!r}", hint="`ourcli memory inbox list` shows what does")
        return proposal

    # At the user's word

    async def promote(self, record_id: str, target: Layer) -> LedgerEntry:
        """Move a record to another layer, as it is.

        Raises:
            NotFoundError: There is no such record.
            InvalidInputError: It is there already.
            StoreConflictError: It was changed at the same time; nothing was done.
        """
        return await self._relay(await self._image(record_id), target, Verb.PROMOTE)

    async def demote(self, record_id: str) -> LedgerEntry:
        """Move a record down, from insights to assets.

        Raises:
            NotFoundError: There is no such record.
            InvalidInputError: There is nothing below its layer for it.
            StoreConflictError: It was changed at the same time; nothing was done.
        """
        image = await self._image(record_id)
        target = _DOWN.get(image.record.layer)
        if target is None:
            raise InvalidInputError(
                f"the record {record_id!r} is in {image.record.layer.value}, from where nothing is demoted",
                hint="records of insights can be demoted; `ourcli memory promote ID --to LAYER` moves any record",
            )
        return await self._relay(image, target, Verb.DEMOTE)

    async def _relay(self, image: Image, target: Layer, verb: Verb) -> LedgerEntry:
        record = image.record
        if record.layer is target:
            raise InvalidInputError(f"the record {record.id!r} is in {target.value} already", hint="nothing was done")
        reason = self._by_hand(verb, {"from": record.layer.value, "to": target.value})
        return await self._commit(change(reason, [image], [relaid(image, target)]))

    async def pin(self, ids: Sequence[str], *, pinned: bool = True) -> tuple[str, ...]:
        """Keep records where they are, or let rules move them again; return those that were not so before.

        Raises:
            NotFoundError: One of them is not there; nothing was done.
        """
        wanted = tuple(dict.fromkeys(ids))
        there = {one.record.id for one in await self._store.images(wanted)}
        if missing := [one for one in wanted if one not in there]:
            raise _missing(missing[0])
        usage = await self._usage.of(wanted)
        changing = tuple(one for one in wanted if usage.get(one, UNUSED).pinned != pinned)
        if changing:
            reason = self._by_hand(Verb.PIN if pinned else Verb.UNPIN, {PINNED: pinned})
            await self._commit(change(reason, (), (), touched=changing))
        return changing

    async def unpin(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Let rules move records again; return those that were pinned."""
        return await self.pin(ids, pinned=False)

    async def _image(self, record_id: str) -> Image:
        found = await self._store.images([record_id])
        if not found:
            raise _missing(record_id)
        return found[0]

    def _by_hand(self, verb: Verb, inputs: Mapping[str, object]) -> Reason:
        return Reason(entry_id=self._new_id(), verb=verb, at=self._clock.now(), inputs=inputs, trace_id=self._new_id())

    async def _commit(self, move: Move) -> LedgerEntry:
        await self._mover.commit([move])
        return move.entry

    # Looking back

    async def why(self, record_id: str) -> Explained:
        """Return where a record came from and every move that touched it; also of one that is gone.

        Raises:
            NotFoundError: Neither memory nor the ledger knows it.
        """
        return await explain(self._store, self._ledger, record_id)

    async def history(self, since: datetime | None = None, *, limit: int | None = None) -> tuple[LedgerEntry, ...]:
        """Return the moves from a moment on (None: all), the last one first."""
        return tuple(await self._ledger.since(since, limit=limit))

    async def undo(self, entry_id: str) -> LedgerEntry:
        """Take one move back, exactly: every record is again as it was, byte for byte. An undo can be undone too.

        Raises:
            NotFoundError: There is no such move.
            InvalidInputError: It is too old, undone already, or something depends on it; the message names what.
            StoreConflictError: A record was changed at the same time; nothing was done.
        """
        now = self._clock.now()
        move = await self._undoing.inverse(entry_id, undo_id=self._new_id(), now=now, trace_id=self._new_id())
        entry = await self._commit(move)
        self._sink.emit(MoveUndone(at=now, entry=entry.id, undoes=entry_id, ids=entry.touched))
        return entry

    async def trim(self) -> int:
        """Drop the images of moves that are too old to be taken back; return of how many."""
        return await self._ledger.trim(self._clock.now() - timedelta(days=self._undo_days))

    def _new_id(self) -> str:
        return new_id(self._clock.now())


def _missing(record_id: str) -> NotFoundError:
    return NotFoundError(f"no record {record_id!r}", hint="`ourcli memory list` shows the ids there are")
