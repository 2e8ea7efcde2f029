"""What is known of a record when rules look at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ourcli.memory.policy.duration import in_words
from ourcli.memory.record import Record
from ourcli.memory.usage import UNUSED, Usage

_NOTHING = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A record with what decides about it.

    Attributes:
        record: As it is stored now.
        usage: How it was used.
        promoted_at: When the ledger says that it came to its layer, by promotion or another move, or None: never.
    """

    record: Record
    usage: Usage = UNUSED
    promoted_at: datetime | None = None

    def age(self, now: datetime) -> timedelta:
        """Return how long ago it was said or written; nothing when the clock went backwards."""
        return max(_NOTHING, now - self.record.ts)

    def idle(self, now: datetime) -> timedelta:
        """Return how long it has not been used: since its last use, else its promotion, else its writing."""
        return max(_NOTHING, now - self._since[0])

    @property
    def _since(self) -> tuple[datetime, str]:
        if self.usage.last_used is not None:
            return self.usage.last_used, "used"
        if self.promoted_at is not None:
            return self.promoted_at, "moved here"
        return self.record.ts, "written"

    def as_data(self, now: datetime) -> Mapping[str, object]:
        """Return the facts as plain JSON data, for the ledger; a record's text is never among them."""
        since, what = self._since
        return {
            "id": self.record.id,
            "layer": self.record.layer.value,
            "age_s": round(self.age(now).total_seconds()),
            "unused_s": round(self.idle(now).total_seconds()),
            "unused_since": {"at": since.isoformat(), "what": what},
            "tags": list(self.record.tags),
            "kind": self.record.kind,
            "uses": self.usage.uses,
            "distinct_queries": self.usage.distinct_queries,
            "trust": self.record.trust.value,
            "pinned": self.usage.pinned,
        }

    def idle_in_words(self, now: datetime) -> str:
        """Return how long it was not used and since when that is counted, for people."""
        since, what = self._since
        how_long = in_words(self.idle(now))
        if what == "used":
            return f"unused for {how_long}, last used on {since:%Y-%m-%d}"
        return f"never used in {how_long} since it was {what} on {since:%Y-%m-%d}"
