"""Several processes on one home at once."""

import pytest

from ourcli.app.lifetime import open_service
from ourcli.memory.query import Filter
from tests.promises import promise
from tests.support.process import CommandLine, finished

pytestmark = pytest.mark.anyio


@promise("memory.processes.first-use")
async def test_processes_that_begin_one_memory_together_all_succeed(ourcli: CommandLine) -> None:
    started = [ourcli.start("memory", "add", f"fact {place}") for place in range(3)]

    done = [finished(process) for process in started]

    assert [(one.code, one.err) for one in done] == [(0, "")] * 3
    async with open_service() as service:
        there = await service.records(Filter(), None)
    assert sorted(record.text for record in there) == ["fact 0", "fact 1", "fact 2"]
    assert {record.id for record in there} == {one.out.strip() for one in done}


@promise("core.ask.side-by-side")
async def test_two_questions_at_once_are_both_answered_and_kept(ourcli: CommandLine) -> None:
    questions = ("how do bees navigate?", "how do wasps navigate?")
    started = [ourcli.start("ask", question, "--max-tokens", "4", "--json") for question in questions]

    done = [finished(process) for process in started]

    assert [one.code for one in done] == [0, 0]
    async with open_service() as service:
        there = await service.records(Filter(), None)
    assert {record.text for record in there if record.kind == "question"} == set(questions)
    assert len(there) == 4
    assert {record.session for record in there} == {one.document["session"] for one in done}
