"""Opening the stores of memory: importing LanceDB takes a second or more, and is put off until then."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from ourcli.app.bench.latency_report import Plain
from ourcli.memory.indexing import Indexes

if TYPE_CHECKING:
    from ourcli.memory.backends.journaled_store import JournaledStore


async def open_store(folder: Path, wanted: Indexes | None = None) -> "JournaledStore":
    """Open the record store in `folder`; the caller closes it."""
    # deferred: importing LanceDB takes 1 to 3 s, and the language model loads meanwhile in its own thread
    opening = await to_thread.run_sync(_opening)
    return await opening(folder, wanted)


async def open_plain_lance(folder: Path) -> Plain:
    """Open LanceDB as it comes, to be measured against."""
    from ourcli.memory.backends.lance_plain import PlainLance  # deferred: see open_store

    return await PlainLance.open(folder)


def _opening() -> Callable[[Path, Indexes | None], Awaitable["JournaledStore"]]:
    from ourcli.memory.backends.journaled_store import open_journaled  # deferred: see open_store

    return lambda folder, wanted: open_journaled(folder, wanted=wanted)
