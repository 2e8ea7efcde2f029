"""What every journal does; the durable one will run these too."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from ourcli.common.errors import NotFoundError
from ourcli.common.ids import RunId
from ourcli.core.journal import MemoryJournal
from ourcli.core.plan import Plan, Step
from ourcli.core.ports import Run, RunState
from tests.promises import promise

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 22, tzinfo=UTC)
RUN = RunId("run")
STEPS = (Step(id="one", kind="recall"), Step(id="two", kind="prompt"))
OUTPUTS: Mapping[str, object] = {"hits": ()}


@pytest.fixture
async def journal() -> MemoryJournal:
    journal = MemoryJournal(keep=2)
    await journal.begin(Run(run_id=RUN, plan=Plan(goal="g", recipe="r", steps=STEPS), started=AT))
    return journal


async def test_a_run_that_is_not_there_is_not_found(journal: MemoryJournal) -> None:
    with pytest.raises(NotFoundError, match="no run 'other'"):
        journal.row(RunId("other"))


@promise("core.journal.transitions")
async def test_each_transition_of_a_step_is_kept(journal: MemoryJournal) -> None:
    await journal.step_started(RUN, "one", attempt=1, at=AT)
    await journal.step_failed(RUN, "one", error="transient", at=AT)
    failed = journal.row(RUN).steps["one"].state
    await journal.step_started(RUN, "one", attempt=2, at=AT)
    await journal.step_finished(RUN, "one", outputs=OUTPUTS, at=AT)

    row = journal.row(RUN).steps["one"]

    assert failed is RunState.FAILED
    assert (row.state, row.attempts, row.outputs, row.error) == (RunState.DONE, 2, OUTPUTS, "")
    assert journal.row(RUN).steps["two"].state is None


async def test_outputs_are_let_go_when_the_run_ends(journal: MemoryJournal) -> None:
    await journal.step_finished(RUN, "one", outputs=OUTPUTS, at=AT)
    await journal.end(RUN, RunState.DONE, at=AT)
    assert journal.row(RUN).state is RunState.DONE
    assert journal.row(RUN).steps["one"].outputs == {}


async def test_only_the_last_runs_are_kept(journal: MemoryJournal) -> None:
    for number in range(2):
        plan = Plan(goal="g", recipe="r", steps=STEPS)
        await journal.begin(Run(run_id=RunId(f"run{number}"), plan=plan, started=AT))
    with pytest.raises(NotFoundError):
        journal.row(RUN)
