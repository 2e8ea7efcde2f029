"""Makes the tables survive a power cut as they are now, and notes in the journal that they do."""

from collections.abc import Callable
from dataclasses import dataclass

from anyio import to_thread

from ourcli.memory.backends.journaled_reads import Tables
from ourcli.memory.journal import ChangeJournal


@dataclass(frozen=True, slots=True, kw_only=True)
class Securing:
    """What it takes.

    Attributes:
        tables: Know their versions.
        journal: Keeps the last safe ones, for the next opening after a power cut.
        sync: Fsyncs every file and folder of the tables, or raises StoreError.
        boot: Names this running of the machine.
    """

    tables: Tables
    journal: ChangeJournal
    sync: Callable[[], None]
    boot: str

    async def secure(self, last: int = 0) -> None:
        """Make the tables safe, then drop the changes up to the place `last`, which they hold.

        Raises:
            StoreError: It did not work; the journal keeps what it held.
        """
        versions = await self.tables.versions()  # before the sync: every file of these versions is there already
        await to_thread.run_sync(self.sync)
        await to_thread.run_sync(self.journal.drop, last, versions, self.boot)
