"""The run journal in memory: enough to show what a process did, gone when it ends.

The durable journal (SQLite, fsynced, resumable after `kill -9`) comes later behind the same port,
`ports.Journal`, and runs the same contract tests; nothing else has to change.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ourcli.common.errors import NotFoundError
from ourcli.common.ids import RunId
from ourcli.core.ports import Run, RunState


@dataclass(slots=True, kw_only=True)
class StepRow:
    """What the journal knows of one step."""

    id: str
    kind: str
    state: RunState | None = None
    attempts: int = 0
    started: datetime | None = None
    finished: datetime | None = None
    error: str = ""
    outputs: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class RunRow:
    """What the journal knows of one run."""

    run: Run
    state: RunState = RunState.RUNNING
    finished: datetime | None = None
    steps: dict[str, StepRow]


class MemoryJournal:
    """Keep the last runs of this process.

    Args:
        keep: How many runs are kept; the oldest go first. Outputs are dropped when their run ends.
    """

    def __init__(self, keep: int = 32) -> None:
        self._keep = keep
        self._runs: OrderedDict[RunId, RunRow] = OrderedDict()

    def row(self, run_id: RunId) -> RunRow:
        """Return what is known of a run.

        Raises:
            NotFoundError: The journal does not hold it.
        """
        try:
            return self._runs[run_id]
        except KeyError as exc:
            raise NotFoundError(f"no run {run_id!r}") from exc

    async def begin(self, run: Run) -> None:
        """Note a new run."""
        steps = {step.id: StepRow(id=step.id, kind=step.kind) for step in run.plan.steps}
        self._runs[run.run_id] = RunRow(run=run, steps=steps)
        while len(self._runs) > self._keep:
            self._runs.popitem(last=False)

    async def step_started(self, run_id: RunId, step: str, *, attempt: int, at: datetime) -> None:
        """Note one attempt at a step."""
        row = self.row(run_id).steps[step]
        row.state, row.attempts = RunState.RUNNING, attempt
        row.started = row.started or at

    async def step_finished(self, run_id: RunId, step: str, *, outputs: Mapping[str, object], at: datetime) -> None:
        """Note a step's outputs."""
        row = self.row(run_id).steps[step]
        row.state, row.finished, row.outputs, row.error = RunState.DONE, at, outputs, ""

    async def step_failed(self, run_id: RunId, step: str, *, error: str, at: datetime) -> None:
        """Note why an attempt failed."""
        row = self.row(run_id).steps[step]
        row.state = RunState.CANCELLED if error == RunState.CANCELLED else RunState.FAILED
        row.finished, row.error = at, error

    async def end(self, run_id: RunId, state: RunState, *, at: datetime) -> None:
        """Note how the run ended, and let its outputs go."""
        row = self.row(run_id)
        row.state, row.finished = state, at
        for step in row.steps.values():
            step.outputs = {}
