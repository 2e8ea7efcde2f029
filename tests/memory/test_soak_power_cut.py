"""A power cut at random moments, between any two writes of the tables and of SQLite: memory is what was acknowledged.

What had been fsynced is there; of everything else each file, and each write of SQLite's, may be there, torn, or gone.
"""

import random
import sqlite3
from contextlib import aclosing, closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from ourcli.memory.backends.background import Inline
from ourcli.memory.backends.folder_sync import FolderSync
from ourcli.memory.backends.journaled_store import JournaledStore, Limits, open_journaled
from ourcli.memory.backends.opening import Opening
from ourcli.memory.backends.schema import JOURNAL, STEPS
from ourcli.memory.backends.sqlite_journal import SqliteJournal
from ourcli.memory.indexing import Indexes
from tests.promises import promise
from tests.support.apsw_database import PoweredDatabase, PowerFiles
from tests.support.deeds import KINDS, Deed, State, assert_found, do, draw, found_in
from tests.support.power import Platter

pytestmark = pytest.mark.anyio
DEEDS = 40


@promise("memory.soak.power-cut")
@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_a_power_cut_takes_memory_is_what_was_acknowledged(tmp_path: Path, seed: int) -> None:
    await cut_again_and_again(tmp_path, seed, cuts=8)


@pytest.mark.slow
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("seed", range(10))
async def test_whatever_two_hundred_power_cuts_take_memory_is_what_was_acknowledged(tmp_path: Path, seed: int) -> None:
    await cut_again_and_again(tmp_path, seed + 100, cuts=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A moment: what is left on the disk, what was acknowledged, and what was being done."""

    files: dict[Path, bytes]
    state: State
    deed: Deed | None


class Disk:
    """Watches every write and sync of a store, and at some of them takes down what a power cut would leave."""

    def __init__(self, folder: Path, chance: random.Random, share: float) -> None:
        self._chance, self._share = chance, share
        self.platter = Platter(folder)
        self.sqlite = PowerFiles(self.moment)
        self.state = State()
        self.deed: Deed | None = None
        self.cuts: list[Cut] = []

    def moment(self) -> None:
        if self._chance.random() < self._share:
            files = self.platter.left(self._chance) | self.sqlite.left(self._chance)
            self.cuts.append(Cut(files=files, state=self.state, deed=self.deed))

    def fsync(self, path: Path) -> None:
        self.moment()
        self.platter.fsync(path)


async def opened(folder: Path, disk: Disk) -> JournaledStore:
    """Open the store as ourcli does, on such a disk, with everything done in its turn."""
    database = PoweredDatabase(folder / JOURNAL, STEPS, disk.sqlite)
    journal, sync = SqliteJournal(database), FolderSync(folder, disk.fsync)
    return JournaledStore(
        await Opening(folder, journal, sync, Indexes()).tables(),
        journal,
        folder=folder,
        sync=sync.run,
        limits=Limits(rows=3, direct=5),
        database=database,
        background=Inline,
    )


async def cut_again_and_again(folder: Path, seed: int, *, cuts: int) -> None:
    chance = random.Random(seed)
    disk = Disk(folder / "db", chance, share=0.03)
    async with aclosing(await opened(folder / "db", disk)) as store:
        for step in range(DEEDS):
            deed = disk.deed = draw(chance, "one", f"{seed}x{step}", disk.state, (*KINDS, "erase"))
            await do(store, deed)
            disk.state, disk.deed = disk.state.after(deed), None
    assert len(disk.cuts) >= cuts
    for number, cut in enumerate(chance.sample(disk.cuts, cuts)):
        await assert_whole(folder / f"after {number}", cut)


async def assert_whole(folder: Path, cut: Cut) -> None:
    """Start the machine again and look."""
    for name, data in cut.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(folder / JOURNAL)) as journal, journal:
        journal.execute("UPDATE safe_versions SET boot = 'before'")
    async with aclosing(await open_journaled(folder)) as store:
        found = await found_in(store)
        await assert_found(store, found, {text for text, _ in found.records.values()})
        assert found in (cut.state, cut.state if cut.deed is None else cut.state.after(cut.deed))
        await do(store, Deed(kind="put", ids=("new",), word="new"))
        await store.compact()
        assert await found_in(store) == found.after(Deed(kind="put", ids=("new",), word="new"))
