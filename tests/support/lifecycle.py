"""A memory with its lifecycle, on fakes or on the real store."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from ourcli.memory.backends.journaled_store import Limits, open_journaled
from ourcli.memory.backends.sqlite_inbox import SqliteInbox
from ourcli.memory.backends.sqlite_ledger import SqliteLedger
from ourcli.memory.backends.sqlite_usage import SqliteUsageBook
from ourcli.memory.inbox import Inbox
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Ledger
from ourcli.memory.lifecycle.service import Lifecycle
from ourcli.memory.policy.reading import shipped_rules
from ourcli.memory.policy.rule import Rule
from ourcli.memory.ports import RecordStore
from ourcli.memory.query import Filter
from ourcli.memory.record import Record
from ourcli.memory.usage import UsageBook
from ourcli.testing.clock import FrozenClock
from ourcli.testing.condensing import FakeCondenser
from ourcli.testing.events import RecordingSink
from ourcli.testing.ledger import FakeInbox
from ourcli.testing.memory import FakeRecordStore
from ourcli.testing.usage import FakeUsageBook
from tests.support.records import NOON, a_record, axis

DAY = timedelta(days=1)
State = dict[str, tuple[Record, bytes]]


@dataclass(slots=True, kw_only=True)
class World:
    """Everything that a lifecycle works on."""

    store: RecordStore
    ledger: Ledger
    usage: UsageBook
    inbox: Inbox
    clock: FrozenClock = field(default_factory=lambda: FrozenClock(NOON))
    sink: RecordingSink = field(default_factory=RecordingSink)
    condenser: FakeCondenser = field(default_factory=FakeCondenser)

    def lifecycle(
        self, rules: Sequence[Rule] | None = None, *, undo_days: int = 30, ask_first: bool = False
    ) -> Lifecycle:
        """Return the lifecycle, with the shipped rules unless others are given."""
        return Lifecycle(
            store=self.store,
            ledger=self.ledger,
            usage=self.usage,
            inbox=self.inbox,
            rules=shipped_rules() if rules is None else rules,
            condenser=self.condenser,
            clock=self.clock,
            sink=self.sink,
            undo_days=undo_days,
            ask_first=ask_first,
        )

    async def keep(self, text: str, layer: Layer = Layer.INTERACT, **changes: object) -> Record:
        """Store a record and return it."""
        record = a_record(text, layer=layer, **changes)
        await self.store.upsert([record], axis(len(text) % 300))
        return record

    async def state(self) -> State:
        """Return everything that is stored, byte for byte."""
        found: State = {}
        async for rows in self.store.scan(Filter(), 100):
            found |= {record.id: (record, vector.tobytes()) for record, vector in rows}
        return found


@asynccontextmanager
async def open_world(folder: Path | None, limits: Limits | None = None) -> AsyncIterator[World]:
    """Open a memory in `folder`, or one of fakes where there is none."""
    if folder is None:
        fake = FakeRecordStore()
        usage = FakeUsageBook(ledger=fake.ledger)
        yield World(store=fake, ledger=fake.ledger, usage=usage, inbox=FakeInbox())
        return
    async with aclosing(await open_journaled(folder, limits)) as store:
        clock = FrozenClock(NOON)
        yield World(
            store=store,
            ledger=SqliteLedger(store.database),
            usage=SqliteUsageBook(store.database, clock),
            inbox=SqliteInbox(store.database),
            clock=clock,
        )
