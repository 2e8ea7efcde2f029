"""A redactor that knows a few phrases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ourcli.memory.ports import Redacted
from ourcli.memory.secrets import Secret, merged, replaced

A_SECRET = "AKIA" + "QWERTYUIOPASDFGH"
"""What the fake takes for a secret, and the real one too."""


@dataclass(slots=True)
class FakeRedactor:
    """Replace the phrases of `known` (phrase -> kind)."""

    known: Mapping[str, str] = field(default_factory=lambda: {A_SECRET: "aws-access-key"})

    async def redact(self, texts: Sequence[str]) -> list[Redacted]:
        """Return the texts without the phrases."""
        return [self._redacted(text) for text in texts]

    def _redacted(self, text: str) -> Redacted:
        found = []
        for phrase, kind in self.known.items():
            start = text.find(phrase)
            while start >= 0:
                found.append(Secret(start=start, end=start + len(phrase), kind=kind))
                start = text.find(phrase, start + len(phrase))
        whole = merged(found)
        return Redacted(text=replaced(text, whole), found=tuple(dict.fromkeys(one.kind for one in whole)))
