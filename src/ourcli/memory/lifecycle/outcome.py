"""What the lifecycle answers."""

from dataclasses import dataclass

from ourcli.memory.ledger import LedgerEntry
from ourcli.memory.policy.action import Action
from ourcli.memory.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of the actions that were due.

    Attributes:
        actions: What was done, in order; with an inbox all that waits there now, oldest first.
        entries: The ledger's entries of what was done.
        waiting: How many of the actions wait in the inbox.
        skipped: Why an action was not carried out, a line each.
    """

    actions: tuple[Action, ...]
    entries: tuple[LedgerEntry, ...] = ()
    waiting: int = 0
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestor:
    """A record that another one was made from.

    Attributes:
        id: Its id.
        record: As it is, or as the ledger last saw it; None when only its id is known any more.
        gone: It is not in memory any more.
    """

    id: str
    record: Record | None
    gone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Where a record came from and what moved it.

    Attributes:
        record: As it is now, or None when it is not there any more and only the ledger knows it.
        lineage: What it was made from: its parents first, then theirs, each once.
        ledger: Every move that touched it or what it was made from, in the order in which they were done.
    """

    record: Record | None
    lineage: tuple[Ancestor, ...]
    ledger: tuple[LedgerEntry, ...]
