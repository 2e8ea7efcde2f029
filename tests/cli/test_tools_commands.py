"""`ourcli tools` and `ourcli plugins`."""

import json

import pytest

from ourcli.cli.invocation import Invocation
from ourcli.common.errors import CapabilityDeniedError
from ourcli.testing.service import FakeService
from ourcli.testing.tools import a_spec
from ourcli.tools.spec import SideEffects
from tests.cli.running import Run
from tests.promises import promise


@pytest.mark.parametrize("given", ["", "{", "[1]", "NaN", '{"a":1,"a":2}', "1"])
def test_input_that_is_no_object_is_a_usage_error_and_nothing_is_called(
    run: Run, service: FakeService, given: str
) -> None:
    ran = run("tools", "call", "hello.hello", "--input", given)

    assert ran.code == 2
    assert "--input is no JSON" in ran.err
    assert service.calls == []


@promise("tools.call.denied")
def test_a_denied_call_ends_with_4_and_names_the_right(run: Run, service: FakeService) -> None:
    service.failure = CapabilityDeniedError("nobody granted fs:read=/a", capability="fs:read=/a", hint="grant it")

    ran = run("tools", "call", "hello.hello", "--json")

    assert ran.code == 4
    assert json.loads(ran.out)["error"]["kind"] == "capability_denied"
    assert ran.err == "error: nobody granted fs:read=/a\nhint: grant it\n"


@promise("tools.call.side-effects")
def test_a_tool_that_changes_something_needs_a_person(run: Run, service: FakeService) -> None:
    service.tools.specs = [a_spec(side_effects=SideEffects.LOCAL)]

    ran = run("tools", "call", "hello.hello")

    assert ran.code == 3
    assert "tools.call" not in [name for name, _ in service.calls]


@promise("tools.call.side-effects")
@pytest.mark.parametrize(("answer", "code", "called"), [("y\n", 0, True), ("n\n", 130, False), ("\n", 130, False)])
def test_a_tool_that_changes_something_is_asked_for(
    run: Run, service: FakeService, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, called: bool
) -> None:
    service.tools.specs = [a_spec(side_effects=SideEffects.EXTERNAL)]
    monkeypatch.setattr(Invocation, "interactive", property(lambda _self: True))

    ran = run("tools", "call", "hello.hello", stdin=answer)

    assert ran.code == code
    assert "changes something (external)" in ran.err
    assert ("tools.call" in [name for name, _ in service.calls]) is called


def test_call_prints_the_output(run: Run, service: FakeService) -> None:
    ran = run("tools", "call", "hello.hello", "--input", '{"name": "Ada"}')

    assert (ran.code, json.loads(ran.out)) == (0, {"greeting": "Hello, Ada!"})
    assert ("tools.call", ("hello.hello", {"name": "Ada"})) in service.calls


def test_the_keys_of_the_contract_are_there(run: Run, service: FakeService) -> None:
    called = json.loads(run("tools", "call", "hello.hello", "--json").out)
    (tool,) = json.loads(run("tools", "list", "--json").out)["tools"]
    (shown,) = json.loads(run("tools", "show", "hello.hello", "--json").out)["tools"]
    (plugin,) = json.loads(run("plugins", "list", "--json").out)["plugins"]

    assert (called["output"], called["trust"], called["origin"]) == (
        {"greeting": "Hello, Ada!"},
        "tool",
        "plugin:hello",
    )
    named = {
        "name",
        "origin",
        "description",
        "input_schema",
        "output_schema",
        "capabilities",
        "granted",
        "side_effects",
    }
    assert named <= set(tool)
    assert shown == tool
    assert {"name", "version", "sha256", "capabilities", "granted"} <= set(plugin)


def test_a_broken_plugin_is_a_warning_beside_the_list(run: Run, service: FakeService) -> None:
    service.tools.problems = ("'x/manifest.json' is not valid",)

    listed, checked = run("plugins", "list"), run("plugins", "check", "x")

    assert (listed.code, "is not valid" in listed.err, "hello" in listed.out) == (0, True, True)
    assert (checked.code, "cannot be used" in checked.err) == (1, True)


@promise("tools.plugins.check")
def test_a_plugin_that_can_be_used_is_told_with_what_it_requests(run: Run, service: FakeService) -> None:
    ran = run("plugins", "check", "x")

    assert (ran.code, ran.out) == (0, "hello can be used; it requests clock\n")
