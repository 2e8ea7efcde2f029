"""Vacuum: flush, expire, compact, index, and make what was forgotten go for good."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ourcli.app.memory.forgetting import Forgetting
from ourcli.common.clock import Clock
from ourcli.common.events import EventSink, ProgressMade
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Verb
from ourcli.memory.lifecycle.service import Lifecycle
from ourcli.memory.ports import LayerStats, RecordStore

_STEPS = ("finishing what was forgotten", "flushing", "expiring", "compacting and indexing", "cleaning files")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vacuumed:
    """What a vacuum did.

    Attributes:
        flushed: Changed records that went from the write journal to the tables.
        expired: Records whose time was over.
        compacted: Data files that were joined to others.
        indexed: Rows that the indexes cover now and did not before.
    """

    flushed: int
    expired: int
    compacted: int
    indexed: int


class Vacuum:
    """Cleans memory. It can be ended at any step; the next one does the rest.

    Args:
        store: The records.
        lifecycle: Knows what expires.
        forgetting: Knows what must leave no bytes behind.
        clock: Time.
    """

    def __init__(self, store: RecordStore, lifecycle: Lifecycle, forgetting: Forgetting, clock: Clock) -> None:
        self._store, self._lifecycle, self._forgetting, self._clock = store, lifecycle, forgetting, clock

    async def run(self, listen: EventSink) -> Vacuumed:
        """Do all steps, telling each.

        Raises:
            StoreError: A step failed; those before it stay done.
        """
        tell = self._teller(listen)
        tell(0)
        await self._forgetting.finish()
        tell(1)
        flushed = await self._store.flush()
        tell(2)
        applied = await self._lifecycle.apply(verbs=frozenset({Verb.EXPIRE}))
        expired = sum(len(entry.before) for entry in applied.entries)
        await self._lifecycle.trim()
        tell(3)
        before = await self._store.stats()
        await self._store.optimize()
        after = await self._store.stats()
        tell(4)
        if await self._forgetting.wipe():
            await self._store.optimize()  # the tables were written anew, without the indexes that are due
        tell(5)
        return Vacuumed(
            flushed=flushed,
            expired=expired,
            compacted=max(0, _sum(before, "fragments") - _sum(after, "fragments")),
            indexed=max(0, _sum(before, "unindexed") - _sum(after, "unindexed")),
        )

    def _teller(self, listen: EventSink) -> Callable[[int], None]:
        def tell(done: int) -> None:
            task = f"vacuum: {_STEPS[min(done, len(_STEPS) - 1)]}"
            at = self._clock.now()
            listen.emit(ProgressMade(at=at, task=task, done=done, total=len(_STEPS), unit="steps"))

        return tell


def _sum(stats: Mapping[Layer, LayerStats], what: str) -> int:
    return sum(int(getattr(one, what)) for one in stats.values())
