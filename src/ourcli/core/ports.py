"""The seams of the room: what runs a step, and what writes a run down."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ourcli.common.clock import Clock
from ourcli.common.events import EventSink
from ourcli.common.ids import RunId
from ourcli.core.plan import Plan, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    """What a handler knows of the run around it.

    Attributes:
        run_id: The run.
        step: The step as planned; its inputs may hold references, the resolved ones come beside it.
        attempt: 1 for the first try.
        sink: Where the handler reports facts, such as pieces of the answer.
        clock: Time.
    """

    run_id: RunId
    step: Step
    attempt: int
    sink: EventSink
    clock: Clock


class StepHandler(Protocol):
    """Does what a kind of step promises."""

    async def __call__(self, inputs: Mapping[str, object], context: StepContext, /) -> Mapping[str, object]:
        """Return the step's outputs by name.

        Raises:
            TransientError: It may work when tried again; the executor does so while retries are left.
            OurcliError: It failed for good.
        """
        ...


class RunState(StrEnum):
    """Where a run or a step stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A plan that began."""

    run_id: RunId
    plan: Plan
    started: datetime


class Journal(Protocol):
    """Writes down what a run does, so that it can be shown, and later resumed.

    Now in memory (`journal.MemoryJournal`). The durable one (SQLite, one commit a transition) takes its
    place behind this port: an executor that awaits each call before it goes on never repeats a step that the
    journal holds as finished.
    """

    async def begin(self, run: Run) -> None:
        """Note a new run, before any of its steps."""
        ...

    async def step_started(self, run_id: RunId, step: str, *, attempt: int, at: datetime) -> None:
        """Note one attempt at a step, before its handler runs."""
        ...

    async def step_finished(self, run_id: RunId, step: str, *, outputs: Mapping[str, object], at: datetime) -> None:
        """Note a step's outputs, before any step that needs them runs."""
        ...

    async def step_failed(self, run_id: RunId, step: str, *, error: str, at: datetime) -> None:
        """Note why an attempt failed: the error's kind, or `cancelled`."""
        ...

    async def end(self, run_id: RunId, state: RunState, *, at: datetime) -> None:
        """Note how the run ended."""
        ...
