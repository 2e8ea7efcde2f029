"""Store many records: in batches, each acknowledged before the next is read."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from typing import TextIO

from ourcli.app.requests import NewRecord
from ourcli.cli.invocation import Invocation
from ourcli.cli.ports import Facade
from ourcli.cli.progress import ProgressBars
from ourcli.common.clock import SystemClock
from ourcli.common.errors import InvalidInputError, UsageError
from ourcli.common.events import ProgressMade
from ourcli.memory.stored import Stored

BATCH_RECORDS = 256


def open_lines(invocation: Invocation, name: str) -> AbstractContextManager[TextIO]:
    """Open a file of lines, or stdin for `-`.

    Raises:
        UsageError: It cannot be opened.
    """
    if name == "-":
        return nullcontext(invocation.stdin)
    try:
        return Path(name).open(encoding="utf-8", errors="replace")
    except OSError as exc:
        raise UsageError(
            f"cannot read {name!r}: {exc.strerror}", hint="name a file of JSON lines, or - for stdin"
        ) from exc


async def add_all(
    invocation: Invocation,
    service: Facade,
    records: Iterable[NewRecord],
    acknowledge: Callable[[Stored], None],
    *,
    allow_secrets: bool = False,
) -> int:
    """Store records batch by batch; tell of each batch once it is safe. Return how many.

    Raises:
        InvalidInputError: A line was wrong; the batches before it stay stored, and the hint says how many.
    """
    stored = 0
    remaining = iter(records)
    with ProgressBars(invocation.diagnostics) as bars:
        try:
            while batch := list(islice(remaining, BATCH_RECORDS)):
                done = await service.add(batch, bars, allow_secrets=allow_secrets)
                acknowledge(done)
                stored += len(done.ids)
                bars.emit(
                    ProgressMade(
                        at=SystemClock().now(), task="storing records", done=stored, total=None, unit="records"
                    )
                )
        except InvalidInputError as exc:
            kept = f"the {stored} records before this batch are stored; " if stored else "nothing was stored; "
            raise InvalidInputError(exc.message, hint=kept + exc.hint) from exc
    return stored
