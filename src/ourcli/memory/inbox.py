"""The inbox: moves that rules ask for and that wait until a person accepts or rejects them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ourcli.memory.ledger import SourceDigest
from ourcli.memory.policy.action import Action


class Verdict(StrEnum):
    """What has become of a proposal."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    STALE = "stale"
    """A record it is about changed before it was accepted: it is dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One effect that waits.

    Attributes:
        id: uuid7.
        at: When it was proposed, aware UTC.
        action: What would be done.
        versions: The records it is about, with the digest of everything that is stored of them; accepting it after one
            of them changed is refused.
        verdict: What has become of it.
    """

    id: str
    at: datetime
    action: Action
    versions: tuple[SourceDigest, ...]
    verdict: Verdict = Verdict.WAITING


class Inbox(Protocol):
    """Keeps proposals."""

    async def propose(self, proposals: Sequence[Proposal]) -> tuple[Proposal, ...]:
        """Keep proposals durably; return those that are new.

        The same effect of the same rule on the same versions of the same records is kept once: what waits is not
        proposed twice, and what was rejected is not proposed again. What was accepted is: it can become due again.
        """
        ...

    async def waiting(self) -> list[Proposal]:
        """Return what waits, oldest first."""
        ...

    async def proposal(self, proposal_id: str) -> Proposal | None:
        """Return one proposal, or None."""
        ...

    async def decide(self, proposal_id: str, verdict: Verdict) -> bool:
        """Note what became of a proposal, durably; False when it did not wait any more."""
        ...
