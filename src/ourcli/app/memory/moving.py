"""Joins what moves records to the store's file: ledger, uses, inbox and the lifecycle over them."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from ourcli.common.clock import Clock
from ourcli.common.events import EventSink
from ourcli.config.settings import MemorySettings
from ourcli.memory.backends.database import Database
from ourcli.memory.backends.sqlite_forgetting import LedgerForgetting
from ourcli.memory.backends.sqlite_inbox import SqliteInbox
from ourcli.memory.backends.sqlite_ledger import SqliteLedger
from ourcli.memory.backends.sqlite_usage import SqliteUsageBook
from ourcli.memory.ledger import Ledger
from ourcli.memory.lifecycle.mover import Condenser
from ourcli.memory.lifecycle.service import Lifecycle
from ourcli.memory.policy.reading import validate_rules
from ourcli.memory.policy.rule import Rule
from ourcli.memory.ports import RecordStore
from ourcli.memory.usage import UsageBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """What moves records and remembers how they are used.

    Attributes:
        lifecycle: Moves by rules and at the user's word.
        usage: Uses and pins.
        rules: The rules in force.
        forgetting: Forgets in ledger, uses, pins and inbox.
        ledger: What was done.
    """

    lifecycle: Lifecycle
    usage: UsageBook
    rules: Sequence[Rule]
    forgetting: LedgerForgetting
    ledger: Ledger


def open_moving(
    store: RecordStore,
    database: Database,
    *,
    settings: MemorySettings,
    condenser: Condenser,
    clock: Clock,
    sink: EventSink,
    stack: AsyncExitStack,
) -> Moving:
    """Return the lifecycle over an open store and its file; uses that wait are written when the stack closes.

    Raises:
        ConfigError: A rule is not valid.
    """
    usage = SqliteUsageBook(database, clock)
    stack.push_async_callback(usage.aclose)
    rules = validate_rules(settings.rules)
    ledger = SqliteLedger(database)
    lifecycle = Lifecycle(
        store=store,
        ledger=ledger,
        usage=usage,
        inbox=SqliteInbox(database),
        rules=rules,
        condenser=condenser,
        clock=clock,
        sink=sink,
        undo_days=settings.undo_days,
        ask_first=settings.inbox,
    )
    forgetting = LedgerForgetting(database, usage)
    return Moving(lifecycle=lifecycle, usage=usage, rules=rules, forgetting=forgetting, ledger=ledger)
