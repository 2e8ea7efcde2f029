"""Any sequence of changes, cut off at any step of a flush: reopened, memory is what was acknowledged."""

import copy
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from ourcli.common.ids import RecordId
from ourcli.memory.backends.background import Inline
from ourcli.memory.backends.journaled_store import JournaledStore, Limits
from ourcli.memory.backends.schema import open_database
from ourcli.memory.backends.sqlite_journal import SqliteJournal
from ourcli.memory.backends.sqlite_ledger import SqliteLedger
from ourcli.memory.journal import Change, JournalSize, Unchanged
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import LedgerEntry
from ourcli.memory.query import Filter
from ourcli.memory.record import Record
from ourcli.memory.vectors import Matrix
from ourcli.testing.memory import FakeTables
from tests.promises import promise
from tests.support.deeds import Deed, move
from tests.support.records import a_record, axis

Point = Literal[
    "before the merge", "in the merge", "before the fsync", "before the drop", "before the commit", "after the commit"
]
_POINTS: tuple[Point, ...] = ("before the merge", "in the merge", "before the fsync", "before the drop")


class _CutOffError(Exception):
    """The process ended here."""


@dataclass(slots=True)
class _Disk(FakeTables):
    """Tables that know what a power cut leaves of them, and end the process at one point."""

    cut_at: Point | None = None
    safe: dict[str, object] = field(default_factory=dict)

    def reach(self, point: Point) -> None:
        if self.cut_at == point:
            raise _CutOffError

    async def upsert(self, records: Sequence[Record], vectors: Matrix) -> None:
        self.reach("before the merge")
        half = len(records) // 2 if self.cut_at == "in the merge" else len(records)
        await FakeTables.upsert(self, records[:half], vectors[:half])
        self.reach("in the merge")

    def sync(self) -> None:
        self.reach("before the fsync")
        self.safe = copy.copy(dict(self.rows))

    def lose_power(self) -> None:
        self.rows = dict(self.safe)  # type: ignore[arg-type]  # a copy of the same rows


class _Journal(SqliteJournal):
    """The real journal, which ends the process around a commit and before it drops anything."""

    disk: _Disk

    def append(
        self, changes: Sequence[Change], entries: Sequence[LedgerEntry] = (), unchanged: Unchanged | None = None
    ) -> JournalSize:
        self.disk.reach("before the commit")
        size = super().append(changes, entries, unchanged)
        self.disk.reach("after the commit")
        return size

    def drop(self, last: int, safe: Mapping[str, int], boot: str) -> None:
        self.disk.reach("before the drop")
        super().drop(last, safe, boot)


def opened(folder: Path, disk: _Disk, limits: Limits | None = None) -> JournaledStore:
    database = open_database(folder / "journal.sqlite")
    journal = _Journal(database)
    journal.disk = disk
    return JournaledStore(
        disk,
        journal,
        folder=folder,
        sync=disk.sync,
        limits=limits or Limits(),
        database=database,
        background=Inline,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    id: str
    text: str
    layer: Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    id: str
    layer: Layer
    cut_at: Literal["before the commit", "after the commit"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flush:
    cut_at: Point | None
    power: bool


_IDS = st.sampled_from(["a", "b", "c", "d"])
_STEPS = st.one_of(
    st.builds(Put, id=_IDS, text=st.sampled_from(["one", "two", "three"]), layer=st.sampled_from(list(Layer))),
    st.builds(Remove, id=_IDS),
    st.builds(
        Move,
        id=_IDS,
        layer=st.sampled_from(list(Layer)),
        cut_at=st.sampled_from([None, "before the commit", "after the commit"]),
    ),
    st.builds(Flush, cut_at=st.sampled_from([None, *_POINTS]), power=st.booleans()),
)


@promise("memory.journal.crash-points")
@settings(max_examples=50, deadline=None)
@given(steps=st.lists(_STEPS, max_size=14), rows=st.sampled_from([2, 100]))
def test_memory_is_what_was_acknowledged_whatever_cut_a_flush_off(
    steps: list[Put | Remove | Move | Flush], rows: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        anyio.run(check, Path(folder), steps, Limits(rows=rows))


async def check(folder: Path, steps: list[Put | Remove | Move | Flush], limits: Limits) -> None:
    disk, model, moves = _Disk(), dict[str, tuple[str, Layer]](), list[str]()
    store = opened(folder, disk, limits)
    for number, step in enumerate(steps):
        if isinstance(step, Put):
            await store.upsert([a_record(step.text, id=RecordId(step.id), layer=step.layer)], axis(0))
            model[step.id] = (step.text, step.layer)
        elif isinstance(step, Remove):
            gone = await store.delete([step.id])
            assert gone == ((step.id,) if model.pop(step.id, None) else ())
        elif isinstance(step, Flush):
            store = await cut_off(folder, store, disk, step)
        elif step.id in model:
            store = await moved(folder, store, disk, step, f"{number}")
            if step.cut_at != "before the commit":
                model[step.id] = (model[step.id][0], step.layer)
                moves.append(f"{number}")
        assert await state(store) == model
        assert [one.id for one in reversed(await SqliteLedger(store.database).since(None))] == moves
    await store.flush()
    assert {key: (row[0].text, row[0].layer) for key, row in disk.rows.items()} == model
    await store.aclose()


async def moved(folder: Path, store: JournaledStore, disk: _Disk, step: Move, entry: str) -> JournaledStore:
    """Move a record and write why; where that is cut off, open the store again."""
    deed = Deed(kind="move", ids=(step.id,), layer=step.layer, entry=entry)
    disk.cut_at = step.cut_at
    try:
        await move(store, deed)
    except _CutOffError:
        store = opened(folder, disk)
    disk.cut_at = None
    return store


async def cut_off(folder: Path, store: JournaledStore, disk: _Disk, step: Flush) -> JournaledStore:
    """Flush until the point where the process ends, and open the store again."""
    disk.cut_at = step.cut_at
    try:
        await store.flush()
    except _CutOffError:
        if step.power:
            disk.lose_power()
    disk.cut_at = None
    return opened(folder, disk)


async def state(store: JournaledStore) -> dict[str, tuple[str, Layer]]:
    records = await store.fetch(Filter())
    assert len({record.id for record in records}) == len(records)
    found = await store.nearest(Layer.ASSETS, axis(0)[0], Filter(), k=10)
    assert set(found.ids) == {one.id for one in records if one.layer is Layer.ASSETS}
    return {record.id: (record.text, record.layer) for record in records}
