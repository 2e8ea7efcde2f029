"""A history of files that exist only in memory."""

from collections.abc import Sequence

from ourcli.common.errors import NotFoundError, StoreConflictError
from ourcli.tools.undo import FileChange, Undone


class FakeHistory:
    """Keep what the test puts into `kept`; a change whose id is in `changed_since` needs force."""

    def __init__(self, kept: Sequence[FileChange] = (), changed_since: Sequence[int] = ()) -> None:
        self.kept, self.changed_since = list(kept), set(changed_since)
        self.undone: list[tuple[int, bool]] = []

    async def changes(self) -> Sequence[FileChange]:
        """Return them, latest first."""
        return tuple(self.kept)

    async def undo(self, change: int | None, *, force: bool) -> Undone:
        """Note it and answer as if it were done."""
        for one in self.kept:
            if one.id == change or (change is None and not one.undone and one.undoes is None):
                if one.id in self.changed_since and not force:
                    raise StoreConflictError(f"{one.path!r} changed since", hint="--force")
                self.undone.append((one.id, force))
                return Undone(path=one.path, sha256=one.before)
        raise NotFoundError("no tool changed a file that could be taken back")
