"""What the facade answers about moves of memory: plain values, the same in this process and over a wire."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ourcli.memory.ledger import LedgerEntry
from ourcli.memory.policy.action import Action
from ourcli.memory.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestor:
    """A record that another one was made from.

    Attributes:
        id: Its id.
        record: The record, or None when it is not there any more.
    """

    id: str
    record: Record | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Where a record came from and what moved it.

    Attributes:
        record: As it is now, or None when it is not there any more and only the ledger knows it.
        lineage: What it was made from: its parents first, then theirs.
        ledger: Every move that touched it or what it was made from, oldest first.
    """

    record: Record | None
    lineage: tuple[Ancestor, ...]
    ledger: tuple[LedgerEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRule:
    """A rule in force.

    Attributes:
        name: Its name.
        version: Digest of its content, hex.
        shipped: It came with ourcli; False for one of the user's configuration.
        in_words: What it does, in a sentence.
        table: Its content, as it is written in the configuration.
    """

    name: str
    version: str
    shipped: bool
    in_words: str
    table: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleProblem:
    """What is wrong with rules that are valid each for itself.

    Attributes:
        rules: The rules it is about.
        message: What is wrong.
        hint: What to do.
    """

    rules: tuple[str, ...]
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of the actions that were due.

    Attributes:
        actions: What the rules asked for, in order.
        entries: The ledger's entries of what was done.
        waiting: How many of the actions wait in the inbox.
        skipped: Why an action was not carried out, a line each.
    """

    actions: tuple[Action, ...]
    entries: tuple[LedgerEntry, ...]
    waiting: int = 0
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An action that waits for a person.

    Attributes:
        id: uuid7, for `memory inbox accept` and `reject`.
        since: When it was put there, aware UTC.
        action: What would be done.
    """

    id: str
    since: datetime
    action: Action
