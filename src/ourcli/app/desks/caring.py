"""The doctor's hands on memory: how the store is, and mending it."""

from collections.abc import Iterator, Mapping, Sequence

from anyio import to_thread

from ourcli.app.doctor import Check, State
from ourcli.app.wiring import Rooms
from ourcli.memory.layers import Layer
from ourcli.memory.ports import LayerStats
from ourcli.memory.repair import RepairReport

_MEND = "`ourcli doctor --repair` brings back what can be read, and keeps what is damaged aside"


class MemoryCare:
    """Looks at the memory of these rooms, and mends it (`Care`)."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._folder = rooms.home.db(rooms.settings)

    async def health(self) -> Sequence[Check]:
        """Read everything once; a home without memory is fine.

        Raises:
            StoreError: The store cannot be opened.
        """
        from ourcli.memory.backends.health import look_at  # deferred: LanceDB, which takes a second

        if not await to_thread.run_sync(self._folder.exists):
            return (Check(name="memory", state=State.OK, message="nothing is remembered yet"),)
        found = await look_at(await self._rooms.store())
        message = f"{found.records} records can be read; format {found.format}"
        return (
            _check("memory", found.tables, message),
            _check("journal", found.journal, f"whole; {found.waiting} changes on their way to the tables"),
        )

    async def stats(self) -> Mapping[Layer, LayerStats]:
        """Return size and health of each layer; empty for a home without memory."""
        if not await to_thread.run_sync(self._folder.exists):
            return {}
        return await (await self._rooms.store()).stats()

    async def repair(self) -> Sequence[str]:
        """Bring back all that journal and tables hold; a store that is whole is left alone.

        Raises:
            StoreError: It cannot be written, or another ourcli is writing.
        """
        from ourcli.memory.backends.repair import repair  # deferred: LanceDB, which takes a second

        if not await to_thread.run_sync(self._folder.exists):
            return ()
        return tuple(_told(await repair(self._folder)))


def _check(name: str, problem: str, fine: str) -> Check:
    if problem:
        return Check(name=name, state=State.FAILED, message=problem, hint=_MEND)
    return Check(name=name, state=State.OK, message=fine)


def _told(report: RepairReport) -> Iterator[str]:
    for problem in report.problems:
        yield f"found: {' '.join(problem.split())}"
    if report.problems:
        older = f" ({report.older} of them as they were a little earlier)" if report.older else ""
        yield f"saved: {report.records} records of damaged tables{older}, {report.changes} changes of a damaged journal"
    for path in report.moved:
        yield f"kept aside: {path}"
