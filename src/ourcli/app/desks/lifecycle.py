"""The facade's side of how memory moves: rules, moves, why, undo; mistyped ids are met with the nearest one."""

import difflib
from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import TypeVar

from ourcli.app.memory.moves import ShownRule
from ourcli.app.wiring import Rooms
from ourcli.common.errors import NotFoundError
from ourcli.common.events import Event, EventSink, MoveSkipped, NullSink, ProgressMade, RecordsExpired, RecordsMoved
from ourcli.memory.inbox import Proposal
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import LedgerEntry, last_that_holds
from ourcli.memory.lifecycle.outcome import Applied, Explained
from ourcli.memory.lifecycle.service import Lifecycle
from ourcli.memory.policy.action import Action
from ourcli.memory.policy.check import Problem, check
from ourcli.memory.policy.reading import validate_rules
from ourcli.memory.policy.rule import Rule
from ourcli.memory.query import Filter

_Result = TypeVar("_Result")
LAST = "last"
_QUIET = NullSink()
_LOOKED_THROUGH = 2_000
"""So many of the newest ids are compared with one that is not known."""
_ALIKE = 0.8


class LifecycleDesk:
    """What commands ask about moves. Nothing is opened before it is needed.

    Args:
        rooms: Gives the memory, and what moves its records.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def _lifecycle(self) -> Lifecycle:
        return (await self._rooms.moving()).lifecycle

    async def _known_ids(self) -> list[str]:
        memory = await self._rooms.memory()
        return [record.id for record in await memory.records(Filter(), limit=_LOOKED_THROUGH)]

    # Looking back

    async def why(self, record_id: str) -> Explained:
        """Return where a record came from and every move that touched it."""
        lifecycle = await self._lifecycle()
        return await self._of_record([record_id], lifecycle.why(record_id))

    async def history(self, since: datetime | None) -> Sequence[LedgerEntry]:
        """Return the moves from `since` on, newest first."""
        return await (await self._lifecycle()).history(since)

    async def undo(self, entry_id: str) -> LedgerEntry:
        """Take one move back, `last` for the last one that still holds; return the entry that says so."""
        lifecycle = await self._lifecycle()
        if entry_id == LAST:
            entry_id = await _last_that_holds(lifecycle)
        try:
            return await lifecycle.undo(entry_id)
        except NotFoundError as exc:
            known = [one.id for one in await lifecycle.history(limit=_LOOKED_THROUGH)]
            raise _nearest(exc, [entry_id], known) from exc

    # At the user's word

    async def pin(self, ids: Sequence[str], *, pinned: bool) -> tuple[str, ...]:
        """Keep records where they are, or let rules move them again; return those that changed."""
        lifecycle = await self._lifecycle()
        return await self._of_record(ids, lifecycle.pin(ids, pinned=pinned))

    async def promote(self, record_id: str, target: Layer) -> LedgerEntry:
        """Move a record up to `target`."""
        lifecycle = await self._lifecycle()
        return await self._of_record([record_id], lifecycle.promote(record_id, target))

    async def demote(self, record_id: str) -> LedgerEntry:
        """Move a record down by one layer."""
        lifecycle = await self._lifecycle()
        return await self._of_record([record_id], lifecycle.demote(record_id))

    async def _of_record(self, wanted: Sequence[str], work: Awaitable[_Result]) -> _Result:
        try:
            return await work
        except NotFoundError as exc:
            raise _nearest(exc, wanted, await self._known_ids()) from exc

    # Rules

    async def rules(self) -> Sequence[ShownRule]:
        """Return the rules in force, in the order in which they are tried."""
        shipped = not self._rooms.settings.memory.rules
        return tuple(
            ShownRule(name=rule.name, version=rule.version, shipped=shipped, table=rule.as_data())
            for rule in self._in_force()
        )

    async def problems(self) -> Sequence[Problem]:
        """Return what is wrong with the rules as a whole: never fire, fight, loop."""
        return check(self._in_force())

    def _in_force(self) -> tuple[Rule, ...]:
        return validate_rules(self._rooms.settings.memory.rules)

    async def simulate(self, at: datetime | None) -> Sequence[Action]:
        """Return what the rules would do at that moment (None: now); change nothing."""
        return await (await self._lifecycle()).simulate(at)

    async def apply(self, at: datetime | None, listen: EventSink = _QUIET) -> Applied:
        """Do what the rules ask for at that moment (None: now); images of moves too old to undo are dropped."""
        lifecycle = await self._lifecycle()
        applied = await lifecycle.apply(at, _Counting(listen))
        await lifecycle.trim()
        return applied

    async def inbox(self) -> Sequence[Proposal]:
        """Return the actions that wait for a person, oldest first."""
        return await (await self._lifecycle()).inbox_list()

    async def accept(self, ids: Sequence[str], listen: EventSink = _QUIET) -> Applied:
        """Carry out actions that wait."""
        return await (await self._lifecycle()).inbox_accept(ids, _Counting(listen))

    async def reject(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Drop actions that wait, and do not ask for them again; return their ids."""
        return await (await self._lifecycle()).inbox_reject(ids)


class _Counting:
    """Tell progress for every move that was done or skipped.

    Args:
        listen: Told how many there are so far.
    """

    def __init__(self, listen: EventSink) -> None:
        self._listen = listen
        self._done = 0

    def emit(self, event: Event) -> None:
        """Count a move."""
        if isinstance(event, RecordsMoved | RecordsExpired | MoveSkipped):
            self._done += 1
            self._listen.emit(ProgressMade(at=event.at, task="moving", done=self._done, total=None, unit="moves"))


async def _last_that_holds(lifecycle: Lifecycle) -> str:
    last = last_that_holds(await lifecycle.history(limit=_LOOKED_THROUGH))
    if last is None:
        raise NotFoundError("there is no move to take back", hint="`ourcli memory history` shows what was moved")
    return last.id


def _nearest(missing: NotFoundError, wanted: Sequence[str], known: Sequence[str]) -> NotFoundError:
    """Return the error with the known id that is most like the one that is not there."""
    unknown = [one for one in wanted if one not in known]
    near = difflib.get_close_matches(unknown[0], known, n=1, cutoff=_ALIKE) if unknown else []
    hint = f"did you mean {near[0]}? {missing.hint}" if near else missing.hint
    return NotFoundError(missing.message, hint=hint)
