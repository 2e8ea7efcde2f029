"""What keeps one LanceDB table fast and small."""

import os
import time
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from anyio import to_thread

from ourcli.memory.backends.lance_access import retried
from ourcli.memory.ports import LayerStats

_MOST_FRAGMENTS = 24
"""Search slows with fragments (hybrid p50 6 ms with none extra, 15 ms with 50): compact before that."""
_CROWDED = 56
"""With so many fragments nothing more is written before the table is compacted."""
_LEAST_UNINDEXED, _MOST_UNINDEXED, _SHARE_UNINDEXED = 128, 2_048, 100
"""Words of rows outside of the text index are looked for in each of them, 60 us a row; but bringing the indexes up to
date takes 18 us for every row of the table. So it is done at a hundredth of the rows, within these bounds."""
_IDLE_UNINDEXED = 16
"""When nothing is written any more, so few may stay outside."""
_MOST_VERSIONS = 64
_NEVER = timedelta(days=36_500)


async def table_stats(table: Any) -> LayerStats:
    """Return the size and health of a table."""
    stats = await table.stats()
    index = await table.index_stats("indexed_idx")
    return LayerStats(
        rows=stats["num_rows"],
        unindexed=index.num_unindexed_rows if index else stats["num_rows"],
        fragments=stats["fragment_stats"]["num_fragments"],
        bytes=stats["total_bytes"],
    )


async def is_untidy(table: Any, *, idle: bool) -> bool:
    """Say whether the table should be compacted; sooner when nothing is written any more."""
    stats = await table_stats(table)
    if idle and stats.unindexed > _IDLE_UNINDEXED:
        return True
    bound = min(max(stats.rows // _SHARE_UNINDEXED, _LEAST_UNINDEXED), _MOST_UNINDEXED)
    return stats.fragments > _MOST_FRAGMENTS or stats.unindexed > bound


async def is_crowded(table: Any) -> bool:
    """Say whether the table must be compacted before it is written again."""
    return bool((await table.stats())["fragment_stats"]["num_fragments"] >= _CROWDED)


async def compact(table: Any) -> None:
    """Join fragments and bring indexes up to date; every version stays."""
    await retried(partial(table.optimize, cleanup_older_than=_NEVER))


async def has_old_versions(table: Any, older_than: timedelta) -> bool:
    """Say whether removing old versions is worth it; looks at the names of files only."""
    return await to_thread.run_sync(_old_versions, Path(await table.uri()), older_than) > _MOST_VERSIONS


def _old_versions(folder: Path, older_than: timedelta) -> int:
    before_s = time.time() - older_than.total_seconds()
    old = 0
    with os.scandir(folder / "_versions") as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                old += entry.stat().st_mtime < before_s
    return old


async def prune(table: Any, older_than: timedelta) -> None:
    """Remove versions that are older, and the files that only they have; the caller lets nobody write meanwhile."""
    await retried(partial(table.optimize, cleanup_older_than=older_than))
