"""Forgetting in what was typed in conversations: the history that the keyboard's arrow keys bring back."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from ourcli.common.errors import StoreError
from ourcli.common.forgetting import Erasure

_TYPED = b"+"


@dataclass(slots=True, kw_only=True)
class _Entry:
    """What was typed at once, and where its lines stand in the file."""

    text: str
    places: list[tuple[int, int]]


class ChatHistory:
    """Forgets in the file of typed lines, which a conversation may append to meanwhile; a `Forgettable`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """What it is, for messages."""
        return "typed lines"

    async def erase(self, what: Erasure) -> int:
        """Write spaces over whatever was typed that holds one of the texts; return how many entries went.

        Raises:
            StoreError: The file cannot be written.
        """
        texts = [text.strip() for text in what.texts if text.strip()]
        return await to_thread.run_sync(self._blank, texts) if texts else 0

    async def wipe(self) -> None:
        """Do nothing: lines are written over where they stand."""

    def _blank(self, texts: list[str]) -> int:
        if not self._path.is_file():
            return 0
        try:
            gone = [one for one in _entries(self._path.read_bytes()) if any(text in one.text for text in texts)]
            if gone:
                with self._path.open("r+b") as stream:
                    for start, end in (place for entry in gone for place in entry.places):
                        stream.seek(start)
                        stream.write(b" " * (end - start))
                    stream.flush()
                    os.fsync(stream.fileno())
        except OSError as exc:
            raise StoreError(
                f"cannot clean {str(self._path)!r}: {exc.strerror or exc}", hint="check its permissions"
            ) from exc
        return len(gone)


def _entries(data: bytes) -> Iterator[_Entry]:
    """Yield entries: the lines that begin with a plus, up to one that does not (prompt_toolkit's format)."""
    entry, start = _Entry(text="", places=[]), 0
    for line in data.split(b"\n"):
        if line.startswith(_TYPED):
            typed = line[len(_TYPED) :].decode("utf-8", "replace")
            entry.text = f"{entry.text}\n{typed}" if entry.places else typed
            entry.places.append((start, start + len(line)))
        elif entry.places:
            yield entry
            entry = _Entry(text="", places=[])
        start += len(line) + 1
    if entry.places:
        yield entry
