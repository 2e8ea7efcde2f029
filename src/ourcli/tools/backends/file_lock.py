"""One process at a time changes a file of the room."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from ourcli.common.errors import StoreError
from ourcli.common.files import FILE_MODE, ensure_private_folder

WAIT_S: Final = 10.0


@contextmanager
def changing(path: Path, *, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold the lock of `path`, a file beside it, while the block runs; a killed process lets it go.

    Raises:
        StoreError: Another process keeps it longer than `wait_s`, or it cannot be made.
    """
    ensure_private_folder(path.parent)
    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=wait_s, mode=FILE_MODE)
    try:
        lock.acquire()
    except Timeout as exc:
        raise StoreError(
            f"another process is changing {str(path)!r}", hint="wait until it has finished, then try again"
        ) from exc
    except OSError as exc:
        raise StoreError(
            f"cannot write beside {str(path)!r}: {exc.strerror or exc}", hint="check its permissions"
        ) from exc
    try:
        yield
    finally:
        lock.release()
