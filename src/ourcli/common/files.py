"""Private and atomic files: what ourcli writes is 0600 in 0700 folders, and never half there."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ourcli.common.errors import StoreError

FILE_MODE = 0o600
FOLDER_MODE = 0o700
_ABANDONED_S = 3600.0


def ensure_private_folder(path: Path) -> Path:
    """Create `path` and its missing parents with mode 0700.

    Raises:
        StoreError: The folder cannot be made (read-only home, full disk, a file in its place).
    """
    try:
        missing = [p for p in (path, *path.parents) if not p.exists()]
        for folder in reversed(missing):
            folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        if not path.is_dir():
            raise NotADirectoryError(str(path))
    except OSError as exc:
        raise StoreError(
            f"cannot create the folder {str(path)!r}: {exc.strerror or exc}",
            hint="check its permissions and free space, or set OURCLI_HOME to a writable folder",
        ) from exc
    return path


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Write a file that appears whole or not at all: temporary file, fsync, rename, fsync folder.

    Raises:
        StoreError: The file cannot be written; what stood there before still stands.
    """
    ensure_private_folder(path.parent)
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
        temporary = None
        sync_folder(path.parent)
    except OSError as exc:
        raise StoreError(
            f"cannot write {str(path)!r}: {exc.strerror or exc}",
            hint="check free space and permissions",
        ) from exc
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def remove_halves(path: Path) -> None:
    """Remove what killed processes left of writing `path` atomically, if nobody wrote to it for an hour.

    Raises:
        StoreError: One cannot be removed.
    """
    try:
        for half in path.parent.glob(f".{path.name}.*"):
            if half.suffix != ".lock" and half.stat().st_mtime < time.time() - _ABANDONED_S:
                half.unlink(missing_ok=True)
    except OSError as exc:
        raise StoreError(f"cannot remove leftovers of {str(path)!r}: {exc.strerror or exc}") from exc


def sync_folder(path: Path) -> None:
    """Make a rename or a new name in `path` survive a power cut; a no-op where folders cannot be opened."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
