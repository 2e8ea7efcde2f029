"""What the sources of tools need of a running ourcli; `ourcli.app.wiring.Rooms` is it, tests use a fake."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from ourcli.common.clock import Clock
from ourcli.common.events import EventSink
from ourcli.common.net import Gate
from ourcli.config.load import Loaded
from ourcli.config.locations import Home
from ourcli.config.settings import Settings

if TYPE_CHECKING:
    from ourcli.memory.service import MemoryService


class ToolRooms(Protocol):
    """The parts of ourcli that tools are made of."""

    @property
    def home(self) -> Home:
        """The folder it writes to."""
        ...

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        ...

    @property
    def loaded(self) -> Loaded:
        """The settings with their origins, and which project stands here."""
        ...

    @property
    def gate(self) -> Gate:
        """Decides about the network."""
        ...

    @property
    def clock(self) -> Clock:
        """Time."""
        ...

    @property
    def bus(self) -> EventSink:
        """Takes every event."""
        ...

    async def memory(self) -> "MemoryService":
        """Return the memory, opened when it is first needed."""
        ...

    def on_close(self, closing: Callable[[], Awaitable[None]]) -> None:
        """Have `closing` awaited when everything is closed."""
        ...
