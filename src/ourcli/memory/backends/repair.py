"""Repairs a damaged store: saves what its journal, the readable fragments and the older versions hold."""

from collections import Counter
from contextlib import aclosing, closing
from pathlib import Path

import anyio
from anyio import to_thread

from ourcli.common.errors import StoreError
from ourcli.memory.backends.journaled_store import open_journaled
from ourcli.memory.backends.lance_access import translated
from ourcli.memory.backends.lance_facts import NAME, SCHEMA, Facts
from ourcli.memory.backends.lance_opening import connect
from ourcli.memory.backends.locking import COMPACT_LOCK, FLUSH_LOCK, exclusive
from ourcli.memory.backends.rollback import set_aside
from ourcli.memory.backends.salvage_journal import SavedJournal, save_journal
from ourcli.memory.backends.salvage_tables import SavedTable, save_table
from ourcli.memory.backends.schema import JOURNAL, open_database
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter
from ourcli.memory.repair import RepairReport

_ROWS_AT_ONCE = 1_000


async def repair(folder: Path) -> RepairReport:
    """Bring a store back to use with all that can still be read of it; nobody else may have it open.

    Damaged files are moved to `aside` in the store's folder, never changed. A store that is whole is left alone. Ended
    anywhere, it can be begun again.

    Raises:
        StoreError: There is no store, it cannot be written, or another ourcli is writing.
    """
    if not await anyio.Path(folder).is_dir():
        raise StoreError(f"there is no memory in {str(folder)!r} to repair")
    async with exclusive(folder / COMPACT_LOCK), exclusive(folder / FLUSH_LOCK):
        journal = await save_journal(folder)
        with translated(f"cannot repair the memory in {str(folder)!r}"):
            saved = await _save_tables(folder)
        await to_thread.run_sync(_forget_versions, folder, [name for name, one in saved.items() if one.problem])
    report = _report(journal, list(saved.values()))
    if report.problems:
        await _check(folder, needs_model=bool(saved[NAME].problem))
    return report


async def _save_tables(folder: Path) -> dict[str, SavedTable]:
    if not any([path async for path in anyio.Path(folder).glob("*.lance")]):
        return {NAME: SavedTable()}  # a store that was never opened to its end: opening it makes them
    saved = {layer.value: await save_table(folder, layer.value) for layer in Layer}
    return {**saved, NAME: await _save_facts(folder)}


def _forget_versions(folder: Path, names: list[str]) -> None:
    """Forget which versions of tables were safe that begin anew."""
    with closing(open_database(folder / JOURNAL)) as database, database.writing() as connection:
        connection.executemany("DELETE FROM safe_versions WHERE name = ?", [(name,) for name in names])


async def _save_facts(folder: Path) -> SavedTable:
    """Make the table of facts anew where it cannot be read; the next opening finds out the format."""
    path = folder / f"{NAME}.lance"
    try:
        facts = Facts(await (await connect(folder)).open_table(NAME))
        await facts.format()
    except (RuntimeError, OSError, ValueError) as exc:
        problem = f"the table {str(path)!r} is damaged: {next(iter(str(exc).splitlines()), '')}"
        moved = (set_aside(folder, path),) if path.exists() else ()
        await (await connect(folder)).create_table(NAME, schema=SCHEMA)
        return SavedTable(problem=problem, moved=moved)
    return SavedTable()


def _report(journal: SavedJournal, tables: list[SavedTable]) -> RepairReport:
    return RepairReport(
        problems=tuple(filter(None, (journal.problem, *(one.problem for one in tables)))),
        changes=journal.changes,
        records=sum(one.records for one in tables),
        older=sum(one.older for one in tables),
        moved=(*journal.moved, *(path for one in tables for path in one.moved)),
    )


async def _check(folder: Path, *, needs_model: bool) -> None:
    """Open the store and move what the journal holds into the tables; say again which model embedded it."""
    async with aclosing(await open_journaled(folder)) as store:
        await store.flush()
        if needs_model:
            models = Counter[str]()
            async for rows in store.scan(Filter(), _ROWS_AT_ONCE):
                models.update(record.model for record, _ in rows if record.model)
            if models:
                await store.set_store_model(models.most_common(1)[0][0])
