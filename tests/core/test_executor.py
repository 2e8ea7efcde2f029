"""The executor: order, parallel work, timeouts, retries, failure, cancellation, what is reported and journaled."""

from collections.abc import Mapping

import anyio
import anyio.lowlevel
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ourcli.common.clock import SystemClock
from ourcli.common.errors import ModelMissingError, OurcliError, PlanError, TransientError
from ourcli.common.events import RunFinished, RunStarted, StepFailed, StepFinished, StepStarted
from ourcli.common.ids import RunId
from ourcli.core.executor import Executor, RunResult
from ourcli.core.journal import MemoryJournal
from ourcli.core.notation import parse_value
from ourcli.core.plan import Plan, Step
from ourcli.core.ports import RunState, StepContext, StepHandler
from ourcli.testing.events import RecordingSink
from ourcli.testing.steps import ANY_KIND, ScriptedStep
from tests.promises import promise

pytestmark = pytest.mark.anyio
RUN = RunId("0198-run")


class Bench:
    """An executor with everything around it in sight."""

    def __init__(self, parallel: int = 4, **handlers: StepHandler) -> None:
        self.sink, self.journal = RecordingSink(), MemoryJournal()
        self.executor = Executor(
            handlers,
            journal=self.journal,
            sink=self.sink,
            clock=SystemClock(),
            kinds=dict.fromkeys(handlers, ANY_KIND),
            parallel=parallel,
            retry_delay_s=0,
        )

    async def run(self, *steps: Step) -> RunResult:
        return await self.executor.run(Plan(goal="goal", recipe="test", steps=steps), run_id=RUN)

    def state(self, step: str) -> RunState | None:
        return self.journal.row(RUN).steps[step].state


def step(step_id: str, kind: str, *needs: str, timeout_s: float = 60, retries: int = 0, a: object = "literal") -> Step:
    return Step(id=step_id, kind=kind, needs=needs, timeout_s=timeout_s, retries=retries, inputs={"a": parse_value(a)})


async def test_a_kind_that_nothing_runs_is_refused_before_anything_begins() -> None:
    bench = Bench(known=ScriptedStep())
    bench.executor = Executor(
        {}, journal=bench.journal, sink=bench.sink, clock=SystemClock(), kinds={"known": ANY_KIND}
    )
    with pytest.raises(PlanError, match="step 'one': nothing here runs a known step"):
        await bench.run(step("one", "known"))
    assert bench.sink.events == []


@promise("core.executor.errors")
async def test_an_error_of_a_step_passes_through_unchanged_and_keeps_its_exit_code() -> None:
    missing = ModelMissingError("no model", hint="run setup")
    bench = Bench(fails=ScriptedStep([missing]))
    with pytest.raises(ModelMissingError) as caught:
        await bench.run(step("one", "fails"))
    assert caught.value is missing
    assert [event.error for event in bench.sink.of(StepFailed)] == ["model_missing"]
    assert [event.state for event in bench.sink.of(RunFinished)] == ["failed"]
    assert bench.journal.row(RUN).state is RunState.FAILED


@promise("core.executor.errors")
async def test_a_bug_in_a_handler_becomes_a_plan_error_that_names_the_step() -> None:
    bench = Bench(fails=ScriptedStep([ZeroDivisionError("division by zero")]))
    with pytest.raises(PlanError, match=r"step 'one' \(fails\) failed: ZeroDivisionError") as caught:
        await bench.run(step("one", "fails"))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@promise("core.executor.failure-cancels")
async def test_the_first_failure_cancels_what_runs_and_starts_nothing_more() -> None:
    waits, later = ScriptedStep(gate=anyio.Event()), ScriptedStep()
    bench = Bench(fails=ScriptedStep([OurcliError("broken")]), waits=waits, later=later)
    with pytest.raises(OurcliError, match="broken"):
        await bench.run(step("slow", "waits"), step("bad", "fails"), step("after", "later", "bad"))
    assert waits.cancelled == ["slow"]
    assert later.calls == []
    assert (bench.state("slow"), bench.state("bad"), bench.state("after")) == (
        RunState.CANCELLED,
        RunState.FAILED,
        None,
    )


@promise("core.executor.timeout")
async def test_a_step_that_takes_too_long_is_stopped_and_named() -> None:
    waits = ScriptedStep(gate=anyio.Event())
    bench = Bench(waits=waits)
    with pytest.raises(PlanError, match=r"step 'one' \(waits\) took longer than 0.01 s"):
        await bench.run(step("one", "waits", timeout_s=0.01))
    assert waits.cancelled == ["one"]


@promise("core.executor.retries")
async def test_a_transient_error_is_tried_again_as_often_as_the_step_says() -> None:
    flaky = ScriptedStep([TransientError("busy"), TransientError("busy"), {"out": "at last"}])
    bench = Bench(flaky=flaky)
    result = await bench.run(step("one", "flaky", retries=2))
    assert result.outputs == {"one": {"out": "at last"}}
    assert bench.journal.row(RUN).steps["one"].attempts == 3


@promise("core.executor.retries")
async def test_retries_end_and_other_errors_are_never_tried_again() -> None:
    busy, broken = ScriptedStep([TransientError("busy")]), ScriptedStep([OurcliError("broken")])
    with pytest.raises(TransientError):
        await Bench(busy=busy).run(step("one", "busy", retries=2))
    with pytest.raises(OurcliError, match="broken"):
        await Bench(broken=broken).run(step("one", "broken", retries=2))
    assert (len(busy.calls), len(broken.calls)) == (3, 1)


@promise("core.executor.cancellation")
async def test_cancelling_the_caller_cancels_every_step_and_is_journaled() -> None:
    waits = ScriptedStep(gate=anyio.Event())
    bench = Bench(waits=waits)
    with anyio.move_on_after(0.01) as scope:
        await bench.run(step("one", "waits"), step("two", "waits"))
    assert scope.cancelled_caught
    assert sorted(waits.cancelled) == ["one", "two"]
    assert bench.journal.row(RUN).state is RunState.CANCELLED
    assert [event.state for event in bench.sink.of(RunFinished)] == ["cancelled"]


async def test_inputs_hold_what_earlier_steps_gave() -> None:
    gives, takes = ScriptedStep([{"out": [1, 2]}]), ScriptedStep()
    await Bench(gives=gives, takes=takes).run(step("second", "takes", a=["$first.out", "$$x"]), step("first", "gives"))
    assert takes.calls == [("second", {"a": ([1, 2], "$x")})]


async def test_an_output_that_a_step_should_have_given_is_missed_by_name() -> None:
    bench = Bench(gives=ScriptedStep([{}]), takes=ScriptedStep())
    with pytest.raises(PlanError, match="step 'first' gave no output 'out'"):
        await bench.run(step("first", "gives"), step("second", "takes", a="$first.out"))


@promise("core.executor.parallel")
async def test_ready_steps_run_at_the_same_time_up_to_the_limit() -> None:
    gate = anyio.Event()
    waits = ScriptedStep(gate=gate)
    bench = Bench(parallel=2, waits=waits)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bench.run, *(step(name, "waits") for name in ("one", "two", "three")))
        await anyio.wait_all_tasks_blocked()
        assert len(waits.calls) == 2
        gate.set()
    assert (len(waits.ended), waits.most_at_once) == (3, 2)


@promise("core.executor.events")
async def test_every_transition_is_reported_with_the_run_id() -> None:
    bench = Bench(any=ScriptedStep())
    await bench.run(step("one", "any"), step("two", "any", "one"))
    assert [type(event) for event in bench.sink.events] == [
        RunStarted,
        StepStarted,
        StepFinished,
        StepStarted,
        StepFinished,
        RunFinished,
    ]
    assert {event.run_id for event in bench.sink.events} == {RUN}
    assert bench.journal.row(RUN).state is RunState.DONE


async def test_a_run_without_a_given_id_gets_one_of_its_own() -> None:
    bench = Bench(any=ScriptedStep())
    plan = Plan(goal="g", recipe="r", steps=(step("one", "any"),))
    first, second = await bench.executor.run(plan), await bench.executor.run(plan)
    assert first.run_id != second.run_id


@promise("core.plan.order")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edges=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=20), parallel=st.integers(1, 4))
async def test_no_step_of_any_graph_begins_before_what_it_needs_has_ended(
    edges: list[tuple[int, int]], parallel: int
) -> None:
    ended: set[str] = set()

    async def note(inputs: Mapping[str, object], context: StepContext, /) -> Mapping[str, object]:
        assert set(context.step.needs) <= ended
        await anyio.lowlevel.checkpoint()
        ended.add(context.step.id)
        return {}

    needs = {number: {f"s{low}" for low, high in edges if high == number and low < high} for number in range(9)}
    steps = [step(f"s{number}", "note", *sorted(needs[number])) for number in reversed(range(9))]

    await Bench(parallel=parallel, note=note).run(*steps)

    assert len(ended) == 9
