"""The seam of the room: a file of lines that several processes append to at once."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol


class LineLog(Protocol):
    """Keeps lines in the order they were appended; the oldest go when there is too much."""

    def append(self, line: str) -> None:
        """Add one line; it is there whole or, after a crash, skipped by readers.

        Raises:
            StoreError: It cannot be written (full disk, read-only folder).
        """
        ...

    def blank(self, wanted: Sequence[bytes]) -> int:
        """Remove every line that holds one of these; return how many went.

        Raises:
            StoreError: It cannot be written.
        """
        ...

    def lines(self, *, follow: bool) -> AsyncIterator[str]:
        """Yield every whole line, oldest first; with `follow`, go on with those appended later."""
        ...
