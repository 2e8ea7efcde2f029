"""Progress bars on stderr: on a terminal only, and only for work that takes longer than a second."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ourcli.cli.diagnostics import Diagnostics
from ourcli.cli.sanitize import neutralise
from ourcli.common.events import Event, ProgressMade

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE_S = 1.0


class ProgressBars:
    """Show `ProgressMade` events, a bar a task; an event sink and a context manager.

    Args:
        diagnostics: Where stderr is.
        monotonic_s: Seconds since an arbitrary start.
    """

    def __init__(self, diagnostics: Diagnostics, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._diagnostics = diagnostics
        self._wanted = diagnostics.terminal and not diagnostics.quiet
        self._monotonic_s = monotonic_s
        self._first_s: float | None = None
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def emit(self, event: Event) -> None:
        """Take one event; all but `ProgressMade` are dropped."""
        if not self._wanted or not isinstance(event, ProgressMade):
            return
        now_s = self._monotonic_s()
        if self._first_s is None:
            self._first_s = now_s
        if now_s - self._first_s >= PATIENCE_S:
            self._show(event)

    def close(self) -> None:
        """Take the bars away; the terminal is as before."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
            self._tasks.clear()
        self._first_s = None

    def _show(self, event: ProgressMade) -> None:
        bars = self._bars = self._bars or self._start(event.unit)
        name = neutralise(event.task).replace("\n", " ")
        if name not in self._tasks:
            self._tasks[name] = bars.add_task(name, total=event.total)
        bars.update(self._tasks[name], completed=event.done, total=event.total)

    def _start(self, unit: str) -> "Progress":
        from rich.progress import (  # deferred: only long work on a terminal pays for it
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        counted = DownloadColumn() if unit == "B" else MofNCompleteColumn()
        bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            counted,
            TextColumn("" if unit == "B" else unit, markup=False),
            TimeRemainingColumn(),
            console=self._diagnostics.console,
            transient=True,
        )
        bars.start()
        return bars
