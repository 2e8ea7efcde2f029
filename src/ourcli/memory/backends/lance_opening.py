"""Opening the tables: what is missing is made, what is of an older format is brought to today's."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from anyio import to_thread
from filelock import FileLock

from ourcli.common.errors import StoreError
from ourcli.common.files import ensure_private_folder
from ourcli.memory.backends import arrow, lance_facts
from ourcli.memory.backends.lance_access import retried, translated
from ourcli.memory.backends.lance_facts import Facts
from ourcli.memory.backends.lance_import import FTS, lancedb
from ourcli.memory.layers import Layer
from ourcli.memory.migrations.history import FORMAT

TABLES = (*(layer.value for layer in Layer), lance_facts.NAME)
"""Names of all tables of a store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTables:
    """The tables of a store of today's format."""

    layers: dict[Layer, Any]
    facts: Facts

    async def versions(self) -> dict[str, int]:
        """Return the newest version of each table, by its name."""
        return {table.name: await table.version() for table in (*self.layers.values(), self.facts.table)}


Upgrade = Callable[[OpenTables, int], Awaitable[None]]
"""Brings tables of an older format to today's."""


async def connect(folder: Path) -> Any:
    """Return the database in a folder; each read sees what other processes have written."""
    return await lancedb.connect_async(str(folder), read_consistency_interval=timedelta(0))


async def open_tables(folder: Path, upgrade: Upgrade | None) -> OpenTables:
    """Open the store in `folder`, creating what is missing; safe for several processes at once.

    Raises:
        StoreError: The folder or a table cannot be opened, or a later ourcli wrote it.
    """
    await to_thread.run_sync(ensure_private_folder, folder)
    with translated(f"cannot open the memory in {str(folder)!r}"):
        database = await connect(folder)
        try:
            tables = await _opened(database)
        except ValueError as exc:
            if "not found" not in str(exc):
                raise
            tables = None
        if tables is not None and await _checked_format(folder, tables) == FORMAT:
            return tables
        async with _exclusive(folder / ".create.lock"):
            await _create_missing(folder, database)
            tables = await _opened(database)
            format_ = await _checked_format(folder, tables)
            if format_ < FORMAT and upgrade is None:
                raise StoreError(f"the memory in {str(folder)!r} is of the older format {format_}")
            if format_ < FORMAT and upgrade is not None:
                await upgrade(tables, format_)
        return await _opened(database)


async def _opened(database: Any) -> OpenTables:
    layers = {layer: await database.open_table(layer.value) for layer in Layer}
    return OpenTables(layers=layers, facts=Facts(await database.open_table(lance_facts.NAME)))


async def _checked_format(folder: Path, tables: OpenTables) -> int:
    format_ = await tables.facts.format()
    if format_ > FORMAT:
        raise StoreError(
            f"the memory in {str(folder)!r} was written by a later ourcli (format {format_}, this one knows {FORMAT})",
            hint="use that ourcli, or a newer one",
        )
    return format_


async def _create_missing(folder: Path, database: Any) -> None:
    """Create what is missing; the number of the format comes last: where it is, everything is there whole."""
    layers = [await _ensured(database, layer.value, arrow.SCHEMA) for layer in Layer]
    is_current = all([(await table.schema()).names == arrow.SCHEMA.names for table in layers])
    for table in layers:
        if is_current and not await table.list_indices():
            await retried(partial(table.create_index, "indexed", config=FTS()))
    begun = (folder / f"{lance_facts.NAME}.lance").exists()
    facts = Facts(await _ensured(database, lance_facts.NAME, lance_facts.SCHEMA))
    if is_current and not begun:
        await facts.note(lance_facts.FORMAT, str(FORMAT))


async def _ensured(database: Any, name: str, schema: pa.Schema) -> Any:
    """Return a table, created where it is missing; one that is there keeps its own schema."""
    try:
        return await database.open_table(name)
    except ValueError as exc:
        if "not found" not in str(exc):
            raise
    return await database.create_table(name, schema=schema, exist_ok=True)


@asynccontextmanager
async def _exclusive(path: Path) -> AsyncIterator[None]:
    """Hold a lock between processes without blocking the event loop; tasks of this process may share it."""
    lock = FileLock(path, mode=0o600, thread_local=False, is_singleton=True)
    await to_thread.run_sync(lock.acquire)
    try:
        yield
    finally:
        lock.release()
