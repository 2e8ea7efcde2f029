"""A fake of the model that reads question and text together."""

import re
from collections.abc import Sequence

from ourcli.common.errors import OurcliError

_WORD = re.compile(r"\w+")


class FakePairModel:
    """Judge a text by the share of the question's words that it holds.

    Args:
        error: Raised by every call instead of an answer, if given.

    Attributes:
        calls: Question and texts of each call so far, in order.
        closed: Whether `close` was called.
    """

    def __init__(self, *, error: OurcliError | None = None) -> None:
        self._error = error
        self.calls: list[tuple[str, tuple[str, ...]]] = []
        self.closed = False

    def relevances(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return each text's share of the question's words, 0..1."""
        self.calls.append((query, tuple(texts)))
        if self._error is not None:
            raise self._error
        asked = set(_WORD.findall(query.lower()))
        return [len(asked & set(_WORD.findall(text.lower()))) / max(len(asked), 1) for text in texts]

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True
