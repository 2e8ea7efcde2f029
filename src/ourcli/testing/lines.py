"""A log of lines in memory."""

from collections.abc import AsyncIterator, Sequence

import anyio

from ourcli.common.errors import StoreError


class MemoryLines:
    """Keep lines in a list.

    Args:
        failing: Refuse every line, as a full disk does.
    """

    def __init__(self, *, failing: bool = False) -> None:
        self.kept: list[str] = []
        self.failing = failing
        self._grown = anyio.Event()

    def append(self, line: str) -> None:
        """Add one line; line breaks inside it become spaces."""
        if self.failing:
            raise StoreError("cannot write the log: no space left on device")
        self.kept.append(" ".join(line.splitlines()))
        grown, self._grown = self._grown, anyio.Event()
        grown.set()

    def blank(self, wanted: Sequence[bytes]) -> int:
        """Remove every line that holds one of these."""
        if self.failing:
            raise StoreError("cannot clean the log: no space left on device")
        kept = [line for line in self.kept if not any(one in line.encode() for one in wanted)]
        gone = len(self.kept) - len(kept)
        self.kept[:] = kept
        return gone

    async def lines(self, *, follow: bool) -> AsyncIterator[str]:
        """Yield every line, oldest first; with `follow`, go on with later ones."""
        position = 0
        while True:
            grown = self._grown
            while position < len(self.kept):
                position += 1
                yield self.kept[position - 1]
            if not follow:
                return
            await grown.wait()
