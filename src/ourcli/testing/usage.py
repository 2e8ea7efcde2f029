"""A book of uses in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ourcli.memory.usage import Usage, Use
from ourcli.testing.ledger import FakeLedger


@dataclass(slots=True)
class FakeUsageBook:
    """Keep uses in a list; pins that a ledger tells of count, as they do in the store's file."""

    ledger: FakeLedger = field(default_factory=FakeLedger)
    uses: list[Use] = field(default_factory=list)
    flushed: int = 0
    own_pins: dict[str, bool] = field(default_factory=dict)
    _read: int = 0

    async def note(self, use: Use) -> None:
        """Take a use in."""
        self.uses.append(use)

    async def flush(self) -> None:
        """Count the call."""
        self.flushed += 1

    async def of(self, ids: Sequence[str]) -> dict[str, Usage]:
        """Return the usage of those of the records that have any."""
        pinned = await self.pinned()
        known = {record_id for use in self.uses for record_id in use.ids} | pinned
        return {one: self._of(one, pinned=one in pinned) for one in ids if one in known}

    def _of(self, record_id: str, *, pinned: bool) -> Usage:
        own = [use for use in self.uses if record_id in use.ids]
        queries = {" ".join(use.query.casefold().split()) for use in own if use.query.strip()}
        last = max((use.at for use in own), default=None)
        return Usage(last_used=last, uses=len(own), distinct_queries=len(queries), pinned=pinned)

    async def pin(self, ids: Sequence[str], *, pinned: bool) -> None:
        """Set or take the pin."""
        self._follow()
        self.own_pins |= dict.fromkeys(ids, pinned)

    async def pinned(self) -> frozenset[str]:
        """Return the ids of all pinned records."""
        self._follow()
        return frozenset(record_id for record_id, pinned in self.own_pins.items() if pinned)

    def _follow(self) -> None:
        """Take over the pins that the ledger's new entries tell of."""
        for entry in self.ledger.entries[self._read :]:
            if isinstance(pinned := entry.inputs.get("pinned"), bool):
                self.own_pins |= dict.fromkeys(entry.touched, pinned)
        self._read = len(self.ledger.entries)
