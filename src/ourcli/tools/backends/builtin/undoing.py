"""Take back what tools did to files (`FileHistory`)."""

import os
from collections.abc import Sequence

from anyio import to_thread

from ourcli.common.errors import NotFoundError, StoreConflictError, StoreError, ToolError
from ourcli.tools.backends.builtin.changing import Author, FileChanger, place_of, snapshot
from ourcli.tools.backends.builtin.reach import Place
from ourcli.tools.backends.undo_store import UndoStore, digest
from ourcli.tools.undo import FileChange, Undone

_TOOL = "undo"


class UndoHistory:
    """The changes in a store, and the way back.

    Args:
        store: Keeps what was before.
    """

    def __init__(self, store: UndoStore) -> None:
        self._store, self._changer = store, FileChanger(store)

    async def changes(self) -> Sequence[FileChange]:
        """Return what was changed, latest first."""
        return await to_thread.run_sync(self._changes)

    async def undo(self, change: int | None, *, force: bool) -> Undone:
        """Take back one change; None for the last one that was not taken back.

        Raises:
            NotFoundError: There is none.
            StoreConflictError: The file changed since; nothing was done.
            StoreError: What was before is damaged, or the file cannot be written.
        """
        return await to_thread.run_sync(self._undo, change, force)

    def _changes(self) -> list[FileChange]:
        if not self._store.exists:
            return []
        with self._changer.alone():
            return self._store.changes()

    def _undo(self, number: int | None, force: bool) -> Undone:  # noqa: FBT001  # through a thread by position only
        if not self._store.exists:
            raise _nothing(number)
        with self._changer.alone():
            change = _chosen(self._store.changes(), number)
            before = None if change.before is None else self._store.content(change.before)
            try:
                place = place_of(change.path)
            except OSError as exc:
                raise StoreError(
                    f"the folder of {change.path!r} is not as it was: {exc.strerror or exc}", hint="nothing was done"
                ) from exc
            try:
                self._exchange(place, change, before, force=force)
            except ToolError as exc:
                raise StoreError(exc.message, hint=exc.hint) from exc
            finally:
                os.close(place.folder)
            return Undone(path=change.path, sha256=change.before)

    def _exchange(self, place: Place, change: FileChange, before: bytes | None, *, force: bool) -> None:
        now = snapshot(place)
        held = digest(now.data if now else None)
        if held not in (change.after, change.before) and not force:
            raise StoreConflictError(
                f"{change.path!r} changed since {change.tool} wrote it at {change.at:%Y-%m-%d %H:%M}",
                hint="nothing was done; --force puts back what was before, and that can be taken back again",
            )
        author = Author(tool=_TOOL, run_id=change.run_id, undoes=change.id)
        done = self._changer.exchange(place, now, before, author, mode=change.mode)
        if done.id is None:  # it is as it was before already, whoever did that
            self._store.note_undone(change.id)


def _chosen(changes: Sequence[FileChange], number: int | None) -> FileChange:
    for change in changes:
        if change.id == number or (number is None and change.undoes is None and not change.undone):
            if change.undone:
                raise NotFoundError(f"change {number} was taken back already", hint="`ourcli undo list` shows them all")
            return change
    raise _nothing(number)


def _nothing(number: int | None) -> NotFoundError:
    if number is None:
        return NotFoundError("no tool changed a file that could be taken back", hint="`ourcli undo list` shows them")
    return NotFoundError(f"no change {number}", hint="`ourcli undo list` shows them")
