"""Changes on disk, told by the system."""

import math
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
import watchfiles
from anyio.abc import TaskStatus
from anyio.streams.memory import MemoryObjectSendStream

from ourcli.common.errors import StoreError

DEBOUNCE_MS = 1_600
"""A burst of changes is told together when it ends, or after this long."""

STEP_MS = 100
"""A burst ends when this long nothing happened."""

READY_MS = 200
"""The watcher first returns after this long, or with the first change; from then on it misses nothing."""


class SystemWatcher:
    """Tells changes as the system reports them, by polling where it cannot (`FileWatcher`)."""

    @asynccontextmanager
    async def changes(self, roots: Sequence[Path]) -> AsyncIterator[AsyncIterator[set[Path]]]:
        """Yield sets of changed, new or removed paths until the context is left.

        A file is watched through its folder, because editors replace files instead of writing into them.

        Raises:
            StoreError: The system refuses to watch (too many watches, no permission).
        """
        folders = {root for root in roots if root.is_dir()}
        files = set(roots) - folders
        send, receive = anyio.create_memory_object_stream[set[Path]](math.inf)
        stop = anyio.Event()
        with _sole_error():
            async with send, receive, anyio.create_task_group() as group:
                try:
                    if folders:
                        await group.start(_pump, send, stop, folders, frozenset[Path]())
                    if files:
                        await group.start(_pump, send, stop, {file.parent for file in files}, frozenset(files))
                    yield receive
                finally:
                    stop.set()


@contextmanager
def _sole_error() -> Iterator[None]:
    """Let one error that a task group wrapped through as itself, so that callers can catch it by its type."""
    try:
        yield
    except BaseExceptionGroup as group:
        if len(group.exceptions) == 1:
            raise group.exceptions[0] from group.exceptions[0].__cause__
        raise


async def _pump(
    send: MemoryObjectSendStream[set[Path]],
    stop: anyio.Event,
    folders: set[Path],
    only: frozenset[Path],
    *,
    task_status: TaskStatus[None],
) -> None:
    started = False
    changes = watchfiles.awatch(
        *sorted(folders),
        watch_filter=None,
        debounce=DEBOUNCE_MS,
        step=STEP_MS,
        stop_event=stop,
        rust_timeout=READY_MS,
        yield_on_timeout=True,
        recursive=not only,
        ignore_permission_denied=True,
    )
    try:
        async for burst in changes:
            paths = {Path(name) for _, name in burst}
            told = paths & only if only else {path for path in paths if _is_telling(path)}
            if told:
                send.send_nowait(told)
            if not started:
                started = True
                task_status.started()
    except (OSError, RuntimeError) as exc:
        raise StoreError(f"cannot watch for changes: {exc}", hint="run `ourcli ingest` again by hand") from exc


def _is_telling(path: Path) -> bool:
    """Leave out the constant noise inside of `.git`, but for the ignore patterns that it keeps."""
    return ".git" not in path.parts or path.name == "exclude"
