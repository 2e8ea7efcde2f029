"""A copy of the store beside it, taken before its format changes; hard links where the disk can: it costs little.

Files of the tables are never changed once they are written, so a link is as good as a copy. One backup is kept, the
newest. It holds what the store held then: forgetting for good (`vacuum`) removes it.
"""

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from ourcli.common.errors import StoreError
from ourcli.common.files import FOLDER_MODE, atomic_write, sync_folder
from ourcli.memory.backends.folder_sync import fsync_path
from ourcli.memory.backends.schema import JOURNAL

_BEGUN = ".migrating"


def make_backup(folder: Path, format_: int) -> Path:
    """Copy the store in `folder`, whose files are safe on disk, and return the copy; again after a cut, the same one.

    Raises:
        StoreError: It could not be made; nothing was changed.
    """
    mark = folder / _BEGUN
    try:
        if mark.exists() and (made := folder.parent / mark.read_text("utf-8")).is_dir():
            return made
        partial = folder.parent / f".{folder.name}.backup"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=FOLDER_MODE)
        _copy(folder, partial)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        made = partial.rename(folder.parent / f"{folder.name}.backup-format-{format_}-{stamp}")
        sync_folder(folder.parent)
    except (OSError, sqlite3.Error) as exc:
        raise StoreError(
            f"cannot back up the memory in {str(folder)!r} before its format changes: {exc}",
            hint="check free space and permissions; nothing was changed",
        ) from exc
    with atomic_write(mark) as file:
        file.write(made.name.encode())
    return made


def end_backup(folder: Path, made: Path) -> None:
    """Keep this backup only; the change of format is done."""
    (folder / _BEGUN).unlink(missing_ok=True)
    remove_backups(folder, but=made)


def backups(folder: Path) -> list[Path]:
    """Return the store's backups, oldest first."""
    return sorted(folder.parent.glob(f"{folder.name}.backup-format-*"), key=lambda path: path.name.rpartition("-")[2])


def remove_backups(folder: Path, *, but: Path | None = None) -> None:
    """Remove the store's backups.

    Raises:
        StoreError: One could not be removed.
    """
    try:
        for path in backups(folder):
            if path != but:
                shutil.rmtree(path)
    except OSError as exc:
        raise StoreError(f"cannot remove an old backup of the memory: {exc}", hint="check its permissions") from exc


def link_table(table: Path, into: Path) -> None:
    """Make a copy of a table's folder that may be changed without changing the original."""
    for path in sorted(path for path in table.rglob("*") if path.is_file()):
        target = into / path.relative_to(table)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".json":
            shutil.copy2(path, target)  # a hint, which is written over
            fsync_path(target)
        else:
            _link(path, target)


def _copy(folder: Path, into: Path) -> None:
    for table in folder.glob("*.lance"):
        link_table(table, into / table.name)
    if (folder / JOURNAL).exists():
        with closing(sqlite3.connect(folder / JOURNAL)) as source, closing(sqlite3.connect(into / JOURNAL)) as copy:
            source.backup(copy)
        fsync_path(into / JOURNAL)
    for root, _, _ in os.walk(into, topdown=False):
        sync_folder(Path(root))


def _link(path: Path, target: Path) -> None:
    try:
        target.hardlink_to(path)
    except OSError:  # another kind of disk, or too many links
        shutil.copy2(path, target)
        fsync_path(target)
