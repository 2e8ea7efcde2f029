"""A list of erasures in memory, and a place that remembers what it was asked to forget."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ourcli.common.errors import StoreError
from ourcli.common.forgetting import Erasure


@dataclass(slots=True)
class FakeErasures:
    """An `ErasureBook` of a dictionary."""

    listed: dict[int, tuple[Erasure, bool]] = field(default_factory=dict)
    last: int = 0

    async def begin(self, what: Erasure) -> int:
        """Write down what is to be forgotten."""
        self.last += 1
        self.listed[self.last] = (what, False)
        return self.last

    async def unfinished(self) -> list[tuple[int, Erasure]]:
        """Return what was begun and not finished."""
        return [(number, what) for number, (what, finished) in self.listed.items() if not finished]

    async def finish(self, number: int) -> None:
        """Drop its texts."""
        what, _ = self.listed[number]
        self.listed[number] = (replace(what, texts=()), True)

    async def finished(self) -> list[tuple[int, Erasure]]:
        """Return what is finished."""
        return [(number, what) for number, (what, finished) in self.listed.items() if finished]

    async def clear(self, numbers: Sequence[int]) -> None:
        """Drop entries."""
        for number in numbers:
            self.listed.pop(number, None)


@dataclass(slots=True)
class FakePlace:
    """A `Forgettable` that notes what it was asked. Set `failure` to make it raise `StoreError(failure)`."""

    name: str = "place"
    erased: list[Erasure] = field(default_factory=list)
    wiped: int = 0
    failure: str = ""

    async def erase(self, what: Erasure) -> int:
        """Note it."""
        if self.failure:
            raise StoreError(self.failure)
        self.erased.append(what)
        return len(what.ids)

    async def wipe(self) -> None:
        """Count the call."""
        if self.failure:
            raise StoreError(self.failure)
        self.wiped += 1
