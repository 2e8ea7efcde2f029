"""Making the tables survive a power cut: LanceDB does not fsync, so it is done here."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from ourcli.common.errors import StoreError

Mark = tuple[str, int, int, int]
"""Path, inode, size and moment of the last change of a file or folder."""
_COARSEST_NS = 3_000_000_000
"""No disk notes moments more coarsely."""
_READ = getattr(os, "O_BINARY", 0) | (os.O_RDWR if os.name == "nt" else os.O_RDONLY)


def fsync_path(path: Path) -> None:
    """Write what the system still holds of a file or folder to the disk; folders are left out on Windows."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, _READ)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FolderSync:
    """Fsyncs the tables' files that this process has not yet seen safe, then every changed folder on the way.

    What another process wrote and did not live to fsync is unknown here, so the first run takes every file; a file
    that is safe already costs an open and an empty fsync.

    Args:
        folder: Holds one folder `<name>.lance` a table.
        fsync: Makes one file or folder safe; tests record or fail here.
    """

    def __init__(self, folder: Path, fsync: Callable[[Path], None] = fsync_path) -> None:
        self._folder = folder
        self._fsync = fsync
        self._safe: set[Mark] = set()

    def run(self) -> None:
        """Make all that stands in the tables now survive a power cut: files first, then their folders.

        Raises:
            StoreError: A file could not be synced.
        """
        try:
            present = set()
            for path, mark in self._files():
                if mark not in self._safe:
                    self._sync_present(path)
                present.add(mark)
            for folder in self._folders():
                settled = _mark(folder)
                if settled not in self._safe:
                    self._sync_present(folder)
                if settled is not None:
                    present.add(settled)
            self._fsync(self._folder)
        except OSError as exc:
            raise StoreError(
                f"cannot make the memory in {str(self._folder)!r} safe: {exc.strerror or exc}",
                hint="check the disk; nothing is lost, the write journal keeps it until this works",
            ) from exc
        self._safe = present

    def _sync_present(self, path: Path) -> None:
        try:
            self._fsync(path)
        except FileNotFoundError:
            return  # cleaned up since it was listed: nothing refers to it any more

    def _folders(self) -> Iterator[Path]:
        for table in self._folder.glob("*.lance"):
            inner = sorted((Path(root) for root, _, _ in os.walk(table)), reverse=True)
            yield from inner

    def _files(self) -> Iterator[tuple[Path, Mark]]:
        for folder in self._folders():
            with suppress(FileNotFoundError), os.scandir(folder) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):  # what another process just renamed or removed is not ours
                        if entry.is_file(follow_symlinks=False):
                            about = entry.stat(follow_symlinks=False)
                            yield Path(entry.path), (entry.path, about.st_ino, about.st_size, about.st_mtime_ns)


def _mark(folder: Path) -> Mark | None:
    """Return what changes when names in a folder do; None right after they did, when the clock may be too coarse."""
    try:
        about = folder.stat()
    except FileNotFoundError:
        return None
    if abs(time.time_ns() - about.st_mtime_ns) < _COARSEST_NS:
        return None
    return str(folder), about.st_ino, about.st_size, about.st_mtime_ns
