"""Locks between processes, as files that the operating system frees when their holder dies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import filelock

from ourcli.common.errors import StoreError
from ourcli.common.files import ensure_private_folder

_POLL_S = 0.1


class FileLocks:
    """See `ourcli.ai.models.ports.Locks`."""

    @asynccontextmanager
    async def hold(self, path: Path) -> AsyncIterator[None]:
        """Wait until nobody else holds `path`, and hold it inside the context."""
        ensure_private_folder(path.parent)
        lock = filelock.FileLock(path, thread_local=False)
        while not _taken(lock, path):  # noqa: ASYNC110 - another process frees it: no event tells
            await anyio.sleep(_POLL_S)
        try:
            yield
        finally:
            lock.release()


def _taken(lock: filelock.BaseFileLock, path: Path) -> bool:
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return False
    except OSError as exc:
        raise StoreError(f"cannot lock {str(path)!r}: {exc.strerror or exc}", hint="check permissions") from exc
    return True
