"""Memory as tools may use it, without a store."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ourcli.tools.data import JsonObject


@dataclass(slots=True)
class FakeMemoryAccess:
    """Memory that keeps what it was given and finds what the test put there."""

    found: list[JsonObject] = field(default_factory=list)
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    kept: list[tuple[str, str, str, tuple[str, ...]]] = field(default_factory=list)

    async def search(self, query: str, *, project: str, limit: int) -> Sequence[JsonObject]:
        """Return what the test put there."""
        self.asked.append((query, project, limit))
        return self.found

    async def remember(self, text: str, *, project: str, session: str, tags: Sequence[str]) -> str:
        """Keep it."""
        self.kept.append((text, project, session, tuple(tags)))
        return "01890000-0000-7000-8000-000000000000"
