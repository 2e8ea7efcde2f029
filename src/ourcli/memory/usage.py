"""How records are used: beside the tables, never a rewrite of a record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What is known of one record's use.

    "Used" means cited in an answer, opened by `memory get`, or among the final hits of a user's search; never a
    benchmark, a simulation, or a candidate that was cut.

    Attributes:
        last_used: The last time, or None: never.
        uses: How often.
        distinct_queries: By how many different questions.
        pinned: The user wants it kept where it is: no rule moves it.
    """

    last_used: datetime | None = None
    uses: int = 0
    distinct_queries: int = 0
    pinned: bool = False


UNUSED = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use of some records.

    Attributes:
        ids: The records.
        at: When, aware UTC.
        query: The question's text, "" when there was none; only its digest is kept.
    """

    ids: tuple[str, ...]
    at: datetime
    query: str = ""


class UsageBook(Protocol):
    """Keeps uses and pins."""

    async def note(self, use: Use) -> None:
        """Take a use in; it is written with others a little later, and on `flush`."""
        ...

    async def flush(self) -> None:
        """Write the uses that were taken in."""
        ...

    async def of(self, ids: Sequence[str]) -> dict[str, Usage]:
        """Return the usage of those of the records that have any; what `note` took in counts."""
        ...

    async def pin(self, ids: Sequence[str], *, pinned: bool) -> None:
        """Set or take the pin, durably."""
        ...

    async def pinned(self) -> frozenset[str]:
        """Return the ids of all pinned records."""
        ...
