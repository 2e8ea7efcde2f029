"""A ledger and an inbox in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ourcli.common.errors import StoreConflictError
from ourcli.memory.inbox import Proposal, Verdict
from ourcli.memory.ledger import LedgerEntry, SourceDigest, Verb, holds

_SETTLING = frozenset({Verb.PROMOTE, Verb.DEMOTE, Verb.SUMMARISE})


@dataclass(slots=True)
class FakeLedger:
    """Keep entries in a list; a `FakeRecordStore` writes them in its `commit`."""

    entries: list[LedgerEntry] = field(default_factory=list)

    def write(self, entries: Sequence[LedgerEntry]) -> None:
        """Add entries, all or none.

        Raises:
            StoreConflictError: What one of them undoes is undone already, or is not there.
        """
        undone = {one.undoes: one.id for one in entries if one.undoes is not None}
        free = {one.id for one in self.entries if one.undone_by is None}
        if not undone.keys() <= free:
            raise StoreConflictError("the move is undone already")
        marked = [replace(one, undone_by=undone.get(one.id, one.undone_by)) for one in self.entries]
        self.entries = [*marked, *entries]

    async def entry(self, entry_id: str) -> LedgerEntry | None:
        """Return one entry, or None."""
        return next((one for one in self.entries if one.id == entry_id), None)

    async def of_records(self, ids: Sequence[str]) -> list[LedgerEntry]:
        """Return the entries that touched any of these records or name one as a source, in the order of writing."""
        wanted = frozenset(ids)
        return [one for one in self.entries if wanted & {*one.touched, *(source.id for source in one.sources)}]

    async def since(self, at: datetime | None, *, limit: int | None = None) -> list[LedgerEntry]:
        """Return the entries from `at` on (None: all), those that were written last first."""
        return [one for one in reversed(self.entries) if at is None or one.at >= at][:limit]

    async def settled(self) -> dict[str, datetime]:
        """Return when each record came to its layer by a promotion, demotion or summary that still holds."""
        found: dict[str, datetime] = {}
        for one in self._holding(holding=True):
            if one.verb in _SETTLING:
                moved = (key for key, (was, became) in one.layers.items() if became and was != became)
                found |= dict.fromkeys(moved, one.at)
        return found

    async def taken_back(self) -> frozenset[tuple[str, SourceDigest]]:
        """Return which version of a rule moved which text in a move that a person took back and that stays so."""
        ended = [one for one in self._holding(holding=False) if one.rule_version]
        return frozenset((one.rule_version, source) for one in ended for source in one.sources)

    def _holding(self, *, holding: bool) -> list[LedgerEntry]:
        undone_by = {one.id: one.undone_by for one in self.entries}
        return [one for one in self.entries if holds(one.id, undone_by) is holding]

    async def trim(self, before: datetime) -> int:
        """Drop the images of entries written before a moment; return how many entries lost theirs."""
        old = {one.id for one in self.entries if one.written_at < before and (one.before or one.after)}
        self.entries = [replace(one, before=(), after=()) if one.id in old else one for one in self.entries]
        return len(old)


@dataclass(slots=True)
class FakeInbox:
    """Keep proposals in a dictionary."""

    proposals: dict[str, Proposal] = field(default_factory=dict)

    async def propose(self, proposals: Sequence[Proposal]) -> tuple[Proposal, ...]:
        """Keep proposals; return those that are new."""
        new = []
        for one in proposals:
            kept = (kept for kept in self.proposals.values() if kept.verdict is not Verdict.ACCEPTED)
            if _same(one) not in map(_same, kept):
                self.proposals[one.id] = one
                new.append(one)
        return tuple(new)

    async def waiting(self) -> list[Proposal]:
        """Return what waits, oldest first."""
        return [one for one in self.proposals.values() if one.verdict is Verdict.WAITING]

    async def proposal(self, proposal_id: str) -> Proposal | None:
        """Return one proposal, or None."""
        return self.proposals.get(proposal_id)

    async def decide(self, proposal_id: str, verdict: Verdict) -> bool:
        """Note what became of a proposal; False when it did not wait any more."""
        proposal = self.proposals.get(proposal_id)
        if proposal is None or proposal.verdict is not Verdict.WAITING:
            return False
        if verdict is Verdict.STALE:
            del self.proposals[proposal_id]
        else:
            self.proposals[proposal_id] = replace(proposal, verdict=verdict)
        return True


def _same(one: Proposal) -> tuple[object, ...]:
    return (one.action.rule, one.action.rule_version, one.action.verb, one.action.target, frozenset(one.versions))
