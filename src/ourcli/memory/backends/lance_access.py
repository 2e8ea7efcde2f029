"""How LanceDB is asked: its errors become ours, and what lost against another process is tried again."""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import pyarrow as pa

from ourcli.common.errors import StoreError

_CONFLICT_TRIES = 8
_SOURCE_PLACE = re.compile(r",\s+\S+\.rs:\d+(?::\d+)?\Z")
"""Where in its own source LanceDB met an error: nothing that a person can use."""


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn LanceDB's and Arrow's exceptions into `StoreError`."""
    try:
        yield
    except (RuntimeError, OSError, ValueError, pa.ArrowException) as exc:
        first_line = next(iter(str(exc).strip().splitlines()), type(exc).__name__)
        first_line = _SOURCE_PLACE.sub("", first_line)
        raise StoreError(
            f"{doing}: {first_line}",
            hint="check free space and permissions; nothing that was acknowledged before is lost",
        ) from exc


async def retried(write: Callable[[], Awaitable[object]]) -> None:
    """Run a write again when another process committed first; LanceDB says so in words only."""
    for attempt in range(_CONFLICT_TRIES):
        try:
            await write()
        except (RuntimeError, OSError, ValueError) as exc:
            if "conflict" not in str(exc).lower() or attempt == _CONFLICT_TRIES - 1:
                raise
            await anyio.sleep(0.02 * 2**attempt)
        else:
            return


async def merge(table: Any, key: str, rows: pa.Table) -> None:
    """Write rows in place of those with the same key; doing it again changes nothing."""
    builder = table.merge_insert(key).when_matched_update_all().when_not_matched_insert_all()
    await retried(lambda: builder.execute(rows))
