"""Runs a plan: ready steps in parallel, in topological order, with timeouts, retries and cancellation."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from graphlib import TopologicalSorter

import anyio
from anyio.abc import TaskGroup

from ourcli.common.clock import Clock
from ourcli.common.errors import OurcliError, PlanError, TransientError
from ourcli.common.events import EventSink, RunFinished, RunStarted, StepFailed, StepFinished, StepStarted
from ourcli.common.ids import RunId, new_id
from ourcli.core.kinds import KINDS, StepKind
from ourcli.core.notation import Ref, resolve
from ourcli.core.plan import Plan, Step, validate
from ourcli.core.ports import Journal, Run, RunState, StepContext, StepHandler

_log = logging.getLogger(__name__)

Outputs = Mapping[str, Mapping[str, object]]
"""Step id -> output name -> value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a run ended well, with every step's outputs."""

    run_id: RunId
    outputs: Outputs
    seconds: float


@dataclass(slots=True, kw_only=True)
class _Progress:
    """What one run has reached so far; touched by its own tasks only."""

    run_id: RunId
    steps: Mapping[str, Step]
    sorter: TopologicalSorter[str]
    tasks: TaskGroup
    slots: anyio.Semaphore
    outputs: dict[str, Mapping[str, object]] = field(default_factory=dict)
    failure: OurcliError | None = None


class Executor:
    """Run plans; holds no state of a run, so that several may run at once.

    Args:
        handlers: What does the work, by kind of step.
        journal: Where transitions are written down.
        sink: Where facts are reported.
        clock: Time.
        kinds: The kinds of steps that exist.
        parallel: How many steps of a run may work at the same time.
        retry_delay_s: Pause before the second attempt; doubles with every further one.
    """

    def __init__(
        self,
        handlers: Mapping[str, StepHandler],
        *,
        journal: Journal,
        sink: EventSink,
        clock: Clock,
        kinds: Mapping[str, StepKind] = KINDS,
        parallel: int = 4,
        retry_delay_s: float = 0.2,
    ) -> None:
        self._handlers, self._kinds = handlers, kinds
        self._journal, self._sink, self._clock = journal, sink, clock
        self._parallel, self._retry_delay_s = parallel, retry_delay_s

    def check(self, plan: Plan) -> None:
        """Check that the plan is valid and every kind of step in it has a handler.

        Raises:
            PlanError: The message names the step and the reason.
        """
        validate(plan, self._kinds)
        for step in plan.steps:
            if step.kind not in self._handlers:
                raise PlanError(f"step {step.id!r}: nothing here runs a {step.kind} step")

    async def run(self, plan: Plan, *, run_id: RunId | None = None) -> RunResult:
        """Run the plan to its end.

        The first step that fails cancels the others. Cancelling the caller cancels the run promptly.

        Raises:
            PlanError: The plan is not valid, or a step took too long or failed in an unforeseen way.
            OurcliError: The error of the step that failed, unchanged.
        """
        self.check(plan)
        started, began_s = self._clock.now(), self._clock.monotonic_s()
        run = Run(run_id=run_id or RunId(new_id(started)), plan=plan, started=started)
        await self._journal.begin(run)
        self._sink.emit(RunStarted(at=started, run_id=run.run_id, goal_chars=len(plan.goal), recipe=plan.recipe))
        state = RunState.CANCELLED
        try:
            progress = await self._run_steps(run)
            state = RunState.DONE if progress.failure is None else RunState.FAILED
        finally:
            seconds = self._clock.monotonic_s() - began_s
            with anyio.CancelScope(shield=True):
                await self._journal.end(run.run_id, state, at=self._clock.now())
            self._sink.emit(RunFinished(at=self._clock.now(), run_id=run.run_id, state=state, seconds=seconds))
        if progress.failure is not None:
            raise progress.failure
        return RunResult(run_id=run.run_id, outputs=progress.outputs, seconds=seconds)

    async def _run_steps(self, run: Run) -> _Progress:
        async with anyio.create_task_group() as tasks:
            progress = _Progress(
                run_id=run.run_id,
                steps={step.id: step for step in run.plan.steps},
                sorter=run.plan.sorter(),
                tasks=tasks,
                slots=anyio.Semaphore(self._parallel),
            )
            self._start_ready(progress)
        return progress

    def _start_ready(self, progress: _Progress) -> None:
        for step_id in progress.sorter.get_ready():
            progress.tasks.start_soon(self._run_step, progress, progress.steps[step_id])

    async def _run_step(self, progress: _Progress, step: Step) -> None:
        """Run one step and start those that waited for it; keep the first failure and cancel the rest."""
        async with progress.slots:
            try:
                outputs = await self._attempts(progress, step)
            except OurcliError as exc:
                progress.failure = progress.failure or exc
                progress.tasks.cancel_scope.cancel()
                return
        progress.outputs[step.id] = outputs
        progress.sorter.done(step.id)
        self._start_ready(progress)

    async def _attempts(self, progress: _Progress, step: Step) -> Mapping[str, object]:
        for attempt in range(1, step.retries + 1):
            try:
                return await self._attempt(progress, step, attempt)
            except TransientError as exc:
                _log.info("step %s failed on attempt %d and is tried again: %s", step.id, attempt, exc.kind)
                await anyio.sleep(self._retry_delay_s * 2 ** (attempt - 1))
        return await self._attempt(progress, step, step.retries + 1)

    async def _attempt(self, progress: _Progress, step: Step, attempt: int) -> Mapping[str, object]:
        run_id, began_s = progress.run_id, self._clock.monotonic_s()
        await self._journal.step_started(run_id, step.id, attempt=attempt, at=self._clock.now())
        self._sink.emit(StepStarted(at=self._clock.now(), run_id=run_id, step=step.id, kind=step.kind))
        error = str(RunState.CANCELLED)
        try:
            outputs = await self._call(progress, step, attempt)
            error = ""
        except OurcliError as exc:
            error = exc.kind
            raise
        finally:
            if error:
                await self._note_failure(progress, step, error, self._clock.monotonic_s() - began_s)
        await self._journal.step_finished(run_id, step.id, outputs=outputs, at=self._clock.now())
        seconds = self._clock.monotonic_s() - began_s
        self._sink.emit(
            StepFinished(at=self._clock.now(), run_id=run_id, step=step.id, kind=step.kind, seconds=seconds)
        )
        return outputs

    async def _note_failure(self, progress: _Progress, step: Step, error: str, seconds: float) -> None:
        with anyio.CancelScope(shield=True):
            await self._journal.step_failed(progress.run_id, step.id, error=error, at=self._clock.now())
        self._sink.emit(
            StepFailed(
                at=self._clock.now(),
                run_id=progress.run_id,
                step=step.id,
                kind=step.kind,
                seconds=seconds,
                error=error,
            )
        )

    async def _call(self, progress: _Progress, step: Step, attempt: int) -> Mapping[str, object]:
        context = StepContext(run_id=progress.run_id, step=step, attempt=attempt, sink=self._sink, clock=self._clock)
        try:
            inputs = {name: resolve(value, partial(_output, progress.outputs)) for name, value in step.inputs.items()}
            with anyio.move_on_after(step.timeout_s):
                return await self._handlers[step.kind](inputs, context)
        except OurcliError:
            raise
        except Exception as exc:  # a handler is a trust boundary: its bug must not end the process
            _log.exception("step %s failed in an unforeseen way", step.id)
            raise PlanError(
                f"step {step.id!r} ({step.kind}) failed: {type(exc).__name__}: {exc}",
                hint="this is a fault in ourcli; the diagnostic log holds the details",
            ) from exc
        raise PlanError(
            f"step {step.id!r} ({step.kind}) took longer than {step.timeout_s:g} s",
            hint="give the step a larger timeout_s in its recipe",
        )


def _output(outputs: Outputs, reference: Ref) -> object:
    try:
        return outputs[reference.step][reference.output]
    except KeyError as exc:
        raise PlanError(f"step {reference.step!r} gave no output {reference.output!r}") from exc
