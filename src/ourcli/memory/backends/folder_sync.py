"""Making the tables survive a power cut: LanceDB does not fsync, so it is done here."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from ourcli.common.errors import StoreError

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
    """Fsyncs the tables' files that this process has not yet seen safe, then every folder on the way to them.

    What another process wrote and did not live to fsync is unknown here, so the first run takes every file; a file
    that is safe already costs an open and an empty fsync.

    Args:
        folder: Holds one folder `<name>.lance` a table.
        fsync: Makes one file or folder safe; tests record or fail here.
    """

    def __init__(self, folder: Path, fsync: Callable[[Path], None] = fsync_path) -> None:
        self._folder = folder
        self._fsync = fsync
        self._safe: set[tuple[str, int, int, int]] = set()

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
                self._sync_present(folder)
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

    def _files(self) -> Iterator[tuple[Path, tuple[str, int, int, int]]]:
        for folder in self._folders():
            with suppress(FileNotFoundError), os.scandir(folder) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):  # what another process just renamed or removed is not ours
                        if entry.is_file(follow_symlinks=False):
                            about = entry.stat(follow_symlinks=False)
                            yield Path(entry.path), (entry.path, about.st_ino, about.st_size, about.st_mtime_ns)
