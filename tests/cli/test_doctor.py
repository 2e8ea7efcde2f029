"""`ourcli doctor`."""

import json

import pytest

from ourcli.app.doctor import Check, State
from ourcli.common.errors import ConfigError
from ourcli.testing.service import FakeService
from tests.cli.running import Run
from tests.promises import promise

FINE = Check(name="models", state=State.OK, message="all here")
OPEN = Check(name="permissions", state=State.WARNING, message="others can read it", hint="close it")
BROKEN = Check(name="memory", state=State.FAILED, message="the journal is damaged", hint="repair it")


@promise("cli.doctor")
def test_what_is_fine_ends_with_0_and_warnings_too(run: Run, service: FakeService) -> None:
    service.checks = [FINE, OPEN]

    ran = run("doctor")

    assert ran.code == 0
    assert [line.split("  ")[0] for line in ran.out.splitlines()] == ["what", "models", "permissions"]
    assert ran.err == "permissions: close it\n"


@promise("cli.doctor")
def test_what_failed_ends_with_1_and_is_mended_when_asked(run: Run, service: FakeService) -> None:
    service.checks = [FINE, BROKEN]

    found, mended = run("doctor", "--json"), run("doctor", "--repair")

    assert found.code == 1
    assert json.loads(found.out) == {
        "checks": [
            {"name": "models", "state": "ok", "message": "all here", "hint": ""},
            {"name": "memory", "state": "failed", "message": "the journal is damaged", "hint": "repair it"},
        ],
        "repaired": [],
    }
    assert mended.code == 0
    assert mended.out.startswith("memory works again\n")


@promise("cli.doctor")
@pytest.mark.parametrize("words", [(), ("--repair",)])
def test_a_broken_configuration_is_a_finding(run: Run, service: FakeService, words: tuple[str, ...]) -> None:
    service.failure = ConfigError("line 3: no such key", hint="remove it")

    ran = run("doctor", *words)

    assert ran.code == 1
    assert "configuration  failed  line 3: no such key" in ran.out
    assert ran.err == "configuration: remove it\n"
