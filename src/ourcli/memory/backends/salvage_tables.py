"""Saves what a damaged table still holds: of its newest version, then of older ones, fragment by fragment.

The damaged files stay as they are. A copy of the table (links) is read, from which manifests that cannot be read are
taken away until LanceDB opens it; what can be read is written to a new table, which takes the place of the damaged one.
"""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pyarrow as pa
from anyio import to_thread

from ourcli.common.files import sync_folder
from ourcli.memory.backends import arrow
from ourcli.memory.backends.backup import link_table
from ourcli.memory.backends.folder_sync import fsync_path
from ourcli.memory.backends.lance_import import FTS
from ourcli.memory.backends.lance_opening import connect
from ourcli.memory.backends.rollback import manifests, set_aside
from ourcli.memory.record import DIMS

_FAILURES = (RuntimeError, OSError, ValueError, pa.ArrowException)
_ROWS_AT_ONCE = (8_192, 256, 1)
"""Rows that are read together; where that fails the next smaller number is tried, until single ones are given up."""


@dataclass(slots=True, kw_only=True)
class SavedTable:
    """What came of a table.

    Attributes:
        problem: What was wrong with it, "" for nothing.
        records: Rows that were saved.
        older: Those of them that come from an older version.
        moved: Where the damaged files are.
        known: Ids that were saved.
    """

    problem: str = ""
    records: int = 0
    older: int = 0
    moved: tuple[Path, ...] = ()
    known: set[str] = field(default_factory=set)


async def save_table(folder: Path, name: str) -> SavedTable:
    """Put a whole table of records in the place of a damaged or missing one.

    Raises:
        StoreError: The new one cannot be written.
    """
    damaged = folder / f"{name}.lance"
    work = folder / ".repair"
    ready = work / f"{name}.ready"
    if ready.exists():  # the last repair was cut off here
        await to_thread.run_sync(_swap, folder, damaged, ready)
    saved = SavedTable(problem=await _problem(folder, name))
    if not saved.problem:
        return saved
    await to_thread.run_sync(_emptied, work)
    if damaged.exists():
        await to_thread.run_sync(link_table, damaged, work / "old" / damaged.name)
    target = await (await connect(work / "new")).create_table(name, schema=arrow.SCHEMA)
    async for rows in _rows(work / "old", name, saved):
        await target.add(rows)
    await target.create_index("indexed", config=FTS())
    target.close()
    saved.moved = await to_thread.run_sync(_swap, folder, damaged, ready)
    return saved


def _swap(folder: Path, damaged: Path, ready: Path) -> tuple[Path, ...]:
    """Put the new table in the place of the damaged one; cut off, it is done by the next repair."""
    made = ready.parent / "new" / damaged.name
    for path in sorted(made.rglob("*"), reverse=True):
        fsync_path(path)
    ready.touch()
    sync_folder(ready.parent)
    moved = (set_aside(folder, damaged),) if damaged.exists() and made.exists() else ()
    if made.exists():
        made.rename(damaged)
        sync_folder(folder)
    shutil.rmtree(ready.parent)
    return moved


def _emptied(work: Path) -> None:
    shutil.rmtree(work, ignore_errors=True)
    for folder in (work / "old", work / "new"):
        folder.mkdir(mode=0o700, parents=True)


async def _problem(folder: Path, name: str) -> str:
    """Read everything once; return what is wrong, "" for nothing."""
    path = str(folder / f"{name}.lance")
    if not await anyio.Path(path).exists():
        return f"the table {path!r} is missing"
    try:
        table = await (await connect(folder)).open_table(name)
        rows = 0
        reader = await table.query().to_batches(max_batch_length=_ROWS_AT_ONCE[0])
        async for batch in reader:
            rows += batch.num_rows
        if rows != await table.count_rows():
            return f"the table {path!r} lacks rows"
        await table.query().nearest_to_text("word").select(["id", "_score"]).limit(1).to_arrow()
        await table.query().nearest_to(np.ones(DIMS, np.float32)).select(["id", "_distance"]).limit(1).to_arrow()
    except _FAILURES as exc:
        return f"the table {path!r} is damaged: {next(iter(str(exc).splitlines()), type(exc).__name__)}"
    return ""


async def _rows(old: Path, name: str, saved: SavedTable) -> AsyncIterator[pa.Table]:
    """Yield every readable row once, of the newest version that has it."""
    folder = old / f"{name}.lance"
    is_newest = bool(list(manifests(folder)))
    while versions := sorted(manifests(folder), reverse=True):
        try:
            table = await (await connect(old)).open_table(name)
            for fragment in await _fragments(table):
                async for rows in _read(table, fragment, 0):
                    if (new := _new(rows, saved)).num_rows:
                        saved.records += new.num_rows
                        saved.older += 0 if is_newest else new.num_rows
                        yield new
        except _FAILURES:
            pass  # of this version nothing more can be read
        is_newest = False
        versions[0][1].unlink()
        (folder / "_versions" / "latest_version_hint.json").unlink(missing_ok=True)


async def _fragments(table: Any) -> list[list[int]]:
    """Return the addresses of all rows by fragment; the manifest and the marks of deleted rows tell them."""
    read = (await table.query().with_row_id().select([]).to_arrow())["_rowid"].to_numpy()
    starts = np.flatnonzero(np.diff(read >> np.uint64(32))) + 1
    return [list(map(int, part)) for part in np.split(read, starts) if len(part)]


async def _read(table: Any, addresses: list[int], level: int) -> AsyncIterator[pa.Table]:
    size = _ROWS_AT_ONCE[level]
    for start in range(0, len(addresses), size):
        some = addresses[start : start + size]
        try:
            yield await table.take_row_ids(some).to_arrow()
        except _FAILURES:
            if level + 1 < len(_ROWS_AT_ONCE):
                async for rows in _read(table, some, level + 1):
                    yield rows


def _new(rows: pa.Table, saved: SavedTable) -> pa.Table:
    """Return the rows that no newer version had, in today's columns."""
    places = []
    for place, record_id in enumerate(rows["id"].to_pylist()):
        if record_id not in saved.known:
            saved.known.add(record_id)
            places.append(place)
    return _todays(rows.take(places))


def _todays(rows: pa.Table) -> pa.Table:
    """Give rows of an older format the columns they lack."""
    for name, values in (
        ("context", pa.array([""] * len(rows), pa.string())),
        ("indexed", rows["text"]),
        ("source_page", pa.nulls(len(rows), pa.int32())),
    ):
        if name not in rows.column_names:
            rows = rows.append_column(name, values)
    return rows.select(arrow.SCHEMA.names).cast(arrow.SCHEMA)
