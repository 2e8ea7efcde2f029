"""Forgetting in a log of lines: those that name what shall be gone."""

import json

from anyio import to_thread

from ourcli.common.forgetting import Erasure
from ourcli.observability.ports import LineLog

_LEAST_CHARS = 12
"""A shorter text may be a common word: its lines would be somebody else's."""


class LogForgetting:
    """Forgets in a log; a `Forgettable`.

    Args:
        lines: The log.
        name: What it is, for messages.
    """

    def __init__(self, lines: LineLog, name: str) -> None:
        self._lines = lines
        self._name = name

    @property
    def name(self) -> str:
        """What it is, for messages."""
        return self._name

    async def erase(self, what: Erasure) -> int:
        """Remove every line that holds one of the ids or repeats one of the texts; return how many went.

        Raises:
            StoreError: The log cannot be written.
        """
        texts = [text for text in what.texts if len(text) >= _LEAST_CHARS]
        escaped = [json.dumps(text, ensure_ascii=ascii_only)[1:-1] for text in texts for ascii_only in (False, True)]
        wanted = [one.encode("utf-8", "replace") for one in (*what.ids, *escaped)]
        return await to_thread.run_sync(self._lines.blank, wanted) if wanted else 0

    async def wipe(self) -> None:
        """Do nothing: lines are written over where they stand."""
