"""Forgetting everywhere: the one port of everything that may hold a record's words."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What is to be gone.

    Attributes:
        ids: Ids of the records.
        texts: Every text that was stored of them: as they are now, as they were before, and what was indexed.
        sessions: Conversations of which nothing is left.
        talks: Project and session of each conversation that one of them was said in: the turns after them may repeat
            their words.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    sessions: tuple[str, ...] = ()
    talks: tuple[tuple[str, str], ...] = ()


class Forgettable(Protocol):
    """A store under the home that may hold a record's words or its id."""

    @property
    def name(self) -> str:
        """What it is, in a word or two, for messages."""
        ...

    async def erase(self, what: Erasure) -> int:
        """Remove whatever belongs to these records; return how many entries went.

        From now on nothing reads them; their bytes may stay on disk until `wipe`.
        """
        ...

    async def wipe(self) -> None:
        """Write the files anew where removed entries may still stand in them: afterwards their bytes are gone."""
        ...
