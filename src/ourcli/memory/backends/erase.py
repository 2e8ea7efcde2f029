"""Tables without a trace of what was removed from them.

Removing a row only marks it: its data file, the indexes and older versions keep it. Compaction writes a fragment anew
when a tenth of it is gone, so a fragment with fewer removed rows is helped: a part of its rows is written again, which
marks them too. Indexes are built anew. Nothing that a power cut might take
the tables back to is dropped here before the caller has made the newest version safe: hence three steps.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from anyio import to_thread

from ourcli.memory.backends.lance_access import merge, retried
from ourcli.memory.backends.lance_import import FTS, Bitmap, BTree, LabelList
from ourcli.memory.backends.sql import one_of

_SHARE = 8
"""An eighth of a fragment's rows is more than the tenth at which compaction writes the rest anew."""
_MOST_ROUNDS = 8
_ROWS_A_WRITE = 8_192
_WORDS = {"FTS": FTS, "BTree": BTree, "Bitmap": Bitmap, "LabelList": LabelList}
"""Kinds of indexes that hold words and values."""


async def settle(table: Any) -> None:
    """Compact until nothing is left to compact; older versions stay."""
    for _ in range(_MOST_ROUNDS):
        before = await table.version()
        await retried(table.optimize)
        if await table.version() == before:
            return


async def rebuild_indexes(table: Any) -> None:
    """Build the indexes of words and values anew, and drop that of the vectors, which upkeep builds when it is due.

    A word index keeps removed words in its dictionary; a vector index may keep a removed vector as it was, as the
    middle of a partition that held nothing else.
    """
    for index in await table.list_indices():
        if index.index_type in _WORDS:
            config = _WORDS[index.index_type]()
            await retried(partial(table.create_index, index.columns[0], config=config, replace=True))
        else:
            await retried(partial(table.drop_index, index.name))


async def drop_old_versions(table: Any) -> None:
    """Remove every file that the newest version does not need; the caller has made that version safe."""
    with _unwarned():
        await retried(partial(table.optimize, cleanup_older_than=timedelta(0), delete_unverified=True))


async def rewrite_marked(table: Any) -> bool:
    """Write the fragments anew in which removed rows are only marked; return False when there are none.

    Right after `drop_old_versions`: what lies in the folder of marks then belongs to the newest version.
    """
    fragments = await to_thread.run_sync(_marked, Path(await table.uri()))
    for fragment in fragments:
        await _write_share_again(table, fragment)
    if fragments:
        await settle(table)
    return bool(fragments)


def _marked(folder: Path) -> list[int]:
    marks = folder / "_deletions"
    files = marks.iterdir() if marks.is_dir() else ()
    return sorted({int(file.name.partition("-")[0]) for file in files})


async def _write_share_again(table: Any, fragment: int) -> None:
    inside = f"_rowid >= {fragment << 32} AND _rowid < {(fragment + 1) << 32}"
    rows = await table.count_rows(inside)
    ids = (await table.query().where(inside).select(["id"]).limit(rows // _SHARE + 1).to_arrow())["id"].to_pylist()
    for start in range(0, len(ids), _ROWS_A_WRITE):
        some = one_of("id", ids[start : start + _ROWS_A_WRITE])
        await merge(table, "id", await table.query().where(some).to_arrow())


@contextmanager
def _unwarned() -> Iterator[None]:
    """Leave out the warning that no other version may be in use: that is what is wanted."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"optimize\(cleanup_older_than=0\)")
        yield
