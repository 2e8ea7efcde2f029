"""The doctor's hands on memory: how the store is, and mending it."""

from collections.abc import Mapping, Sequence

from ourcli.app.doctor import Check, State
from ourcli.app.wiring import Rooms
from ourcli.memory.layers import Layer
from ourcli.memory.ports import LayerStats


class MemoryCare:
    """Looks at the memory of these rooms (`Care`)."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def health(self) -> Sequence[Check]:
        """Open the store and say where it lies.

        Raises:
            StoreError: It cannot be opened.
        """
        await self._rooms.store()
        where = self._rooms.home.db(self._rooms.settings)
        return (Check(name="memory", state=State.OK, message=f"{where} opens"),)

    async def stats(self) -> Mapping[Layer, LayerStats]:
        """Return size and health of each layer."""
        return await (await self._rooms.store()).stats()

    async def repair(self) -> Sequence[str]:
        """Mend what can be mended."""
        return ()
