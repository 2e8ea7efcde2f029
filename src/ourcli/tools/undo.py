"""Changes that tools made to files, as values, and how one is taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """What a tool did to a file.

    Attributes:
        id: Grows with every change.
        path: The file's true path.
        before: Digest (SHA-256) of what it held, or None when it was not there.
        after: Digest of what it held then, or None when it was removed.
        mode: Its permissions before; None when it was not there.
        at: When.
        tool: Who did it; `undo` when a change was taken back.
        run_id: The run that called the tool, or "".
        undoes: The change that this one took back, or None.
        undone: It was taken back.
    """

    id: int
    path: str
    before: str | None
    after: str | None
    mode: int | None
    at: datetime
    tool: str
    run_id: str = ""
    undoes: int | None = None
    undone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """A file that is as it was again.

    Attributes:
        path: Its true path.
        sha256: Digest of what it holds now, or None when it is gone again.
    """

    path: str
    sha256: str | None


class FileHistory(Protocol):
    """What tools changed, and the way back."""

    async def changes(self) -> Sequence[FileChange]:
        """Return what was changed, latest first."""
        ...

    async def undo(self, change: int | None, *, force: bool) -> Undone:
        """Take back one change.

        Args:
            change: Which; None for the last one that was not taken back.
            force: Also when the file changed since; what it holds now can then be brought back in the same way.

        Raises:
            NotFoundError: There is none.
            StoreConflictError: The file changed since; nothing was done.
            StoreError: What was before is damaged, or the file cannot be written.
        """
        ...
