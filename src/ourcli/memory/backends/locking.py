"""A lock between all tasks and processes that never blocks the event loop."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from filelock import FileLock, Timeout

from ourcli.common.errors import StoreError
from ourcli.common.files import FILE_MODE

FLUSH_LOCK = ".flush.lock"
"""File in the store's folder; whoever changes what the tables hold has it."""
COMPACT_LOCK = ".compact.lock"
"""The same for whoever changes only how they hold it. It is taken before the other one."""
_POLL_S = 0.02


class Busy(Exception):  # noqa: N818  # no error: it says who goes on
    """Another task or process has the lock."""


@asynccontextmanager
async def exclusive(path: Path, *, wait: bool = True) -> AsyncIterator[None]:
    """Be the only one that has the lock, which a killed process lets go.

    Raises:
        Busy: Another one has it, and `wait` is False.
        StoreError: The folder may not be written, or the lock cannot be made.
    """
    if not os.access(path.parent, os.W_OK):
        raise StoreError("cannot write to memory: its folder may not be written", hint="check its permissions")
    lock = FileLock(path, timeout=0, mode=FILE_MODE, thread_local=False)
    while True:
        try:
            lock.acquire()
            break
        except Timeout as exc:
            if not wait:
                raise Busy from exc
            await anyio.sleep(_POLL_S)
        except OSError as exc:
            raise StoreError(
                f"cannot lock the memory: {exc.strerror or exc}", hint="check free space and permissions"
            ) from exc
    try:
        yield
    finally:
        lock.release()
