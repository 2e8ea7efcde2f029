"""Brings a store of an older format to today's: a backup first, then step by step, and the format's number last.

Cut off by a kill, the next opening goes on where it stopped. Cut off by a power cut, the tables first go back to the
versions that were safe before it began (`rollback`).
"""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from anyio import to_thread

from ourcli.memory.backends.backup import end_backup, make_backup
from ourcli.memory.backends.lance_access import retried, translated
from ourcli.memory.backends.lance_facts import FORMAT
from ourcli.memory.backends.lance_import import FTS
from ourcli.memory.backends.lance_opening import OpenTables
from ourcli.memory.migrations.history import after
from ourcli.memory.migrations.migration import Column, NoIndex, Step, TextIndex

_log = logging.getLogger(__name__)
Secure = Callable[[OpenTables], Awaitable[None]]
"""Makes the tables survive a power cut as they are, and notes that they do."""


async def migrate(tables: OpenTables, format_: int, *, folder: Path, secure: Secure) -> None:
    """Bring tables of the format `format_` to today's.

    Raises:
        StoreError: The backup or a step failed; the next opening tries again.
    """
    await secure(tables)
    made = await to_thread.run_sync(make_backup, folder, format_)
    for migration in after(format_):
        _log.info("the memory comes to format %d: %s; a backup is in %s", migration.format, migration.what, made)
        for table in tables.layers.values():
            for step in migration.steps:
                with translated(f"cannot bring the memory in {str(folder)!r} to format {migration.format}"):
                    await _take(table, step)
        await secure(tables)
        with translated("cannot write the memory's facts"):
            await tables.facts.note(FORMAT, str(migration.format))
    await secure(tables)
    await to_thread.run_sync(end_backup, folder, made)


async def _take(table: Any, step: Step) -> None:
    """Make true what a step says; nothing where it is true already."""
    indices = {index.name: index.columns for index in await table.list_indices()}
    match step:
        case Column(name=name, sql=sql):
            if name not in (await table.schema()).names:
                await retried(partial(table.add_columns, {name: sql}))
        case TextIndex(column=column):
            if [column] not in indices.values():
                await retried(partial(table.create_index, column, config=FTS()))
        case NoIndex(name=name):
            if name in indices:
                await retried(partial(table.drop_index, name))
