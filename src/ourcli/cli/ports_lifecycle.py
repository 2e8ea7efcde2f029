"""What the command line needs of the lifecycle: `ourcli.app.desks.lifecycle.LifecycleDesk` is it; tests use a fake."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from ourcli.common.events import EventSink
from ourcli.memory.layers import Layer

if TYPE_CHECKING:
    from ourcli.app.memory.moves import ShownRule
    from ourcli.memory.inbox import Proposal
    from ourcli.memory.ledger import LedgerEntry
    from ourcli.memory.lifecycle.outcome import Applied, Explained
    from ourcli.memory.policy.action import Action
    from ourcli.memory.policy.check import Problem


class Lifecycle(Protocol):
    """How records move, why, and how a move is taken back."""

    async def why(self, record_id: str) -> "Explained":
        """Return where a record came from and every move that touched it."""
        ...

    async def history(self, since: datetime | None) -> "Sequence[LedgerEntry]":
        """Return the moves from `since` on, newest first."""
        ...

    async def undo(self, entry_id: str) -> "LedgerEntry":
        """Take one move back; return the entry that says so."""
        ...

    async def pin(self, ids: Sequence[str], *, pinned: bool) -> tuple[str, ...]:
        """Keep records where they are, or let rules move them again; return those that changed."""
        ...

    async def promote(self, record_id: str, target: Layer) -> "LedgerEntry":
        """Move a record up to `target`."""
        ...

    async def demote(self, record_id: str) -> "LedgerEntry":
        """Move a record down by one layer."""
        ...

    async def rules(self) -> "Sequence[ShownRule]":
        """Return the rules in force, in the order in which they are tried."""
        ...

    async def problems(self) -> "Sequence[Problem]":
        """Return what is wrong with the rules as a whole: never fire, fight, loop."""
        ...

    async def simulate(self, at: datetime | None) -> "Sequence[Action]":
        """Return what the rules would do at that moment (None: now); change nothing."""
        ...

    async def apply(self, at: datetime | None, listen: EventSink = ...) -> "Applied":
        """Do what the rules ask for at that moment (None: now)."""
        ...

    async def inbox(self) -> "Sequence[Proposal]":
        """Return the actions that wait for a person, oldest first."""
        ...

    async def accept(self, ids: Sequence[str], listen: EventSink = ...) -> "Applied":
        """Carry out actions that wait."""
        ...

    async def reject(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Drop actions that wait, and do not ask for them again; return their ids."""
        ...
