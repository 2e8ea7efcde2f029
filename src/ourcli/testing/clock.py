"""A clock that stands still until it is told to move."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(slots=True)
class FrozenClock:
    """Say the same moment until `advance` or an assignment to `moment`; `monotonic_s` counts what was advanced."""

    moment: datetime
    passed_s: float = 0.0

    def now(self) -> datetime:
        """Return the moment."""
        return self.moment

    def monotonic_s(self) -> float:
        """Return the seconds that were advanced so far."""
        return self.passed_s

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.moment += by
        self.passed_s += by.total_seconds()
