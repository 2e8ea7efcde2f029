"""The one way to call a tool: rights, input, the tool, its answer, events."""

from datetime import UTC, datetime

import pytest

from ourcli.common.errors import (
    CapabilityDeniedError,
    NotFoundError,
    ToolClashError,
    ToolCrashedError,
    ToolError,
    ToolInputError,
    ToolOutputError,
)
from ourcli.common.events import ToolCalled, ToolDenied, ToolFailed, ToolFinished, ToolLogged
from ourcli.common.ids import RunId
from ourcli.testing.clock import FrozenClock
from ourcli.testing.events import RecordingSink
from ourcli.testing.grants import NoGrants
from ourcli.testing.tools import FakeGrants, FakeTool, a_spec
from ourcli.tools.capabilities import Quota, parse
from ourcli.tools.ports import Tool, ToolContext
from ourcli.tools.registry import Registry
from ourcli.tools.runner import ToolRunner
from tests.promises import promise

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 1, 2, tzinfo=UTC)
ADA = {"name": "Ada"}


def a_runner(*tools: Tool, grants: FakeGrants | None = None) -> tuple[ToolRunner, RecordingSink]:
    sink = RecordingSink()
    return ToolRunner(Registry(tools), grants or NoGrants(), clock=FrozenClock(NOW), sink=sink), sink


@promise("tools.call.denied")
@pytest.mark.parametrize("rights", [{}, {"*": ["fs:read=/b"]}, {"cd" * 32: ["fs:read=/a", "clock"]}])
async def test_a_tool_without_its_rights_does_not_run(rights: dict[str, list[str]]) -> None:
    tool = FakeTool(a_spec(capabilities=["fs:read=/a", "clock"]))
    runner, sink = a_runner(tool, grants=FakeGrants(rights))

    with pytest.raises(CapabilityDeniedError, match="fs:read=/a, clock") as caught:
        await runner.call("hello.hello", ADA, ToolContext())

    assert (caught.value.exit_code, caught.value.capability, tool.calls) == (4, "fs:read=/a", [])
    assert [event.capability for event in sink.of(ToolDenied)] == ["fs:read=/a"]
    assert len(sink.events) == 1


async def test_a_tool_gets_the_rights_that_hold_for_it_and_none_that_the_caller_invents() -> None:
    tool = FakeTool(a_spec(capabilities=["clock"]))
    runner, _ = a_runner(tool, grants=FakeGrants({"ab" * 32: ["clock"]}))

    await runner.call("hello.hello", ADA, ToolContext(granted=frozenset({parse("exec")})))

    assert tool.calls[0][1].granted == {parse("clock")}


async def test_a_tool_is_told_the_bounds_of_the_paths_it_may_write() -> None:
    writer, reader = FakeTool(a_spec("w.w", capabilities=["fs:write=/a"])), FakeTool(a_spec("r.r"))
    runner, _ = a_runner(writer, reader, grants=FakeGrants({"*": ["fs:write=/a"]}, {"/a": 10}))

    await runner.call("w.w", ADA, ToolContext())
    await runner.call("r.r", ADA, ToolContext(quotas=frozenset({Quota("/b", 1)})))

    assert writer.calls[0][1].quotas == {Quota("/a", 10)}
    assert reader.calls[0][1].quotas == frozenset()


@promise("tools.call.validated")
@pytest.mark.parametrize("given", [{}, {"name": 1}, {"name": "Ada", "more": 1}])
async def test_a_tool_does_not_run_with_input_that_does_not_fit(given: dict[str, object]) -> None:
    tool = FakeTool(a_spec())
    runner, sink = a_runner(tool)

    with pytest.raises(ToolInputError, match="does not fit the tool"):
        await runner.call("hello.hello", given, ToolContext())  # type: ignore[arg-type]  # what is tried is wrong

    assert (tool.calls, sink.events) == ([], [])


@promise("tools.call.validated")
@pytest.mark.parametrize("answer", [{}, {"greeting": 1}])
async def test_an_answer_that_does_not_fit_is_the_tools_fault(answer: dict[str, object]) -> None:
    runner, sink = a_runner(FakeTool(a_spec(), [answer]))  # type: ignore[list-item]  # what is tried is wrong

    with pytest.raises(ToolOutputError, match="does not fit its schema"):
        await runner.call("hello.hello", ADA, ToolContext())

    assert [event.error for event in sink.of(ToolFailed)] == ["tool_output"]


@promise("tools.call.events")
async def test_a_call_is_told_without_what_was_given_and_answered() -> None:
    runner, sink = a_runner(FakeTool(a_spec(), [{"greeting": "secret answer"}], says=["working"]))
    heard: list[str] = []

    result = await runner.call(
        "hello.hello", {"name": "secret question"}, ToolContext(run_id=RunId("r"), log=heard.append)
    )

    assert (result.output, result.trust, str(result.origin)) == ({"greeting": "secret answer"}, "tool", "plugin:hello")
    assert [type(event) for event in sink.events] == [ToolCalled, ToolLogged, ToolFinished]
    assert {event.run_id for event in sink.events} == {"r"}
    assert "secret" not in repr(sink.events)
    assert heard == ["working"]


@promise("tools.call.events")
async def test_a_failed_call_is_told_by_the_kind_of_its_error() -> None:
    runner, sink = a_runner(FakeTool(a_spec(), [ToolCrashedError("secret words")]))

    with pytest.raises(ToolCrashedError):
        await runner.call("hello.hello", ADA, ToolContext())

    assert [event.error for event in sink.of(ToolFailed)] == ["tool_crashed"]
    assert "secret" not in repr(sink.events)


async def test_a_schema_that_cannot_be_used_is_an_error_and_not_a_pass() -> None:
    spec = a_spec()
    object.__setattr__(spec, "input_schema", {"$ref": "https://example.org"})
    tool = FakeTool(spec)
    runner, _ = a_runner(tool)

    with pytest.raises(ToolError, match="leads out"):
        await runner.call("hello.hello", ADA, ToolContext())

    assert tool.calls == []


@promise("tools.registry.clash")
@pytest.mark.parametrize("name", ["hello.hello", "HELLO.hello"])
async def test_two_tools_with_one_name_are_an_error_that_names_both(name: str) -> None:
    with pytest.raises(ToolClashError, match=r"plugin:hello.*plugin:hello|plugin:hello.*plugin:HELLO"):
        Registry([FakeTool(a_spec()), FakeTool(a_spec(name))])


@promise("tools.registry.nearest")
async def test_a_mistyped_name_is_met_with_the_nearest_one() -> None:
    runner, _ = a_runner(FakeTool(a_spec()), FakeTool(a_spec("text.count")))

    with pytest.raises(NotFoundError) as caught:
        await runner.call("helo.hello", ADA, ToolContext())

    assert caught.value.hint == "did you mean 'hello.hello'?"
    assert [tool.spec().name for tool in runner.registry] == ["hello.hello", "text.count"]
