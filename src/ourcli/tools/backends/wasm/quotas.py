"""Hold a call to the quotas on what it may write: the folders are measured while it runs, and once more after."""

from collections.abc import Coroutine, Iterable, Sequence
from pathlib import Path
from time import monotonic
from typing import Final, TypeVar

import anyio
from anyio import to_thread

from ourcli.common.errors import OurcliError, ToolError
from ourcli.tools.backends.tree_size import tree_bytes
from ourcli.tools.capabilities import Quota

LOOK_S: Final = 0.05
"""Between two looks, and at most a tenth of the time is spent on looking; so much a guest can write too much."""
_SHARE: Final = 10
Found = TypeVar("Found")


async def within_quotas(quotas: Iterable[Quota], call: Coroutine[object, object, Found]) -> Found:
    """Run a call; end it, which kills its worker, as soon as a folder is larger than its quota.

    A folder that is over it already may be read and must not grow.

    Raises:
        ToolError: It wrote too much, or a folder cannot be measured. What it wrote is there.
    """
    bounds: list[tuple[Path, int]] = []
    for quota in quotas:
        try:
            size = await to_thread.run_sync(tree_bytes, Path(quota.path))
        except ToolError:
            call.close()
            raise
        bounds.append((Path(quota.path), max(quota.most_bytes, size)))
    found: list[Found] = []
    failures: list[OurcliError] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_watch, bounds, tasks.cancel_scope)
        try:
            found.append(await call)
        except OurcliError as exc:
            failures.append(exc)
        tasks.cancel_scope.cancel()
    over = await to_thread.run_sync(_fault, bounds)
    for failure in [*([over] if over else []), *failures]:
        raise failure
    return found[0]


async def _watch(bounds: Sequence[tuple[Path, int]], call: anyio.CancelScope) -> None:
    while True:
        started = monotonic()
        if await to_thread.run_sync(_fault, bounds):
            call.cancel()
        await anyio.sleep(max(LOOK_S, (monotonic() - started) * _SHARE))


def _fault(bounds: Sequence[tuple[Path, int]]) -> ToolError | None:
    """Return what is wrong with the folders now."""
    for path, most in bounds:
        try:
            size = tree_bytes(path)
        except ToolError as exc:
            return exc
        if size > most:
            return ToolError(
                f"the tool wrote more than its quota: {str(path)!r} holds {size} bytes, {most} are allowed",
                hint="look at what it wrote; a new grant can allow more",
            )
    return None
