"""The frame: what every command line does alike."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ourcli import __version__
from ourcli.cli.commands.memory import COMMANDS as MEMORY
from ourcli.cli.main import COMMANDS
from ourcli.common.errors import OurcliError
from ourcli.testing.service import FakeService
from tests.cli.running import Run
from tests.promises import promise

SNAPSHOTS = Path(__file__).parent / "snapshots"


def tree(kind: type[OurcliError] = OurcliError) -> Iterator[type[OurcliError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == "ourcli.common.errors":
            yield from tree(child)


@promise("cli.errors.unknown-command")
@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("asks",), "did you mean `ourcli ask`?"),
        (("memory", "serch", "x"), "did you mean `ourcli memory search`?"),
        (("xyzzy",), "see `ourcli --help`"),
    ],
)
def test_an_unknown_command_names_the_nearest(run: Run, words: tuple[str, ...], hint: str) -> None:
    ran = run(*words)

    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("error: no such command")
    assert f"hint: {hint}" in ran.err


def test_an_unknown_option_is_a_usage_error_that_names_the_nearest(run: Run) -> None:
    ran = run("ask", "--buget", "tokens=1", "why?")

    assert ran.code == 2
    assert ran.err == "error: no such option '--buget'\nhint: did you mean '--budget'? see `ourcli ask --help`\n"


def test_a_group_without_a_command_shows_its_help_and_is_a_usage_error(run: Run) -> None:
    ran = run("memory")

    assert (ran.code, ran.out) == (2, "")
    assert "Commands:" in ran.err


@promise("cli.errors.exit-codes")
@pytest.mark.parametrize("kind", list(tree()), ids=lambda kind: kind.__name__)
def test_every_error_of_the_tree_ends_with_its_exit_code_and_says_what_to_do(
    run: Run, service: FakeService, kind: type[OurcliError]
) -> None:
    service.failure = kind("it broke", hint="mend it")

    ran = run("memory", "stats", "--json")

    assert ran.code == kind.exit_code
    assert json.loads(ran.out) == {
        "error": {"code": kind.exit_code, "kind": kind.kind, "message": "it broke", "hint": "mend it"}
    }
    expected = "interrupted\n" if kind.exit_code == 130 else "error: it broke\nhint: mend it\n"
    assert ran.err == expected


def test_an_error_inside_a_task_group_is_told_as_itself(run: Run, service: FakeService) -> None:
    service.failure = ExceptionGroup("tasks", [OurcliError("it broke")])

    ran = run("memory", "stats")

    assert (ran.code, ran.out, ran.err) == (1, "", "error: it broke\n")


@promise("cli.errors.internal")
def test_a_bug_is_logged_and_told_without_its_traceback_unless_asked(
    run: Run, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    service.failure = ZeroDivisionError("division by zero")

    quiet, verbose = run("memory", "stats", "--json"), run("-v", "memory", "stats")

    assert quiet.code == verbose.code == 1
    assert quiet.err.startswith("error: internal error: ZeroDivisionError: division by zero\nhint: ")
    assert "Traceback" not in quiet.err
    assert json.loads(quiet.out)["error"]["kind"] == "internal"
    assert "Traceback" in verbose.err
    assert [record.exc_info is not None for record in caplog.records] == [True, True]


def test_a_usage_error_is_told_in_json_too(run: Run) -> None:
    ran = run("ask", "--max-tokens", "0", "why?", "--json")

    error = json.loads(ran.out)["error"]
    assert (ran.code, error["code"], error["kind"]) == (2, 2, "usage")
    assert "--max-tokens" in error["message"]


@promise("cli.options.anywhere")
@pytest.mark.parametrize(
    "words",
    [
        ("--json", "--project", "p", "memory", "stats"),
        ("memory", "--json", "--project", "p", "stats"),
        ("memory", "stats", "--json", "--project", "p"),
    ],
    ids=["before", "between", "after"],
)
def test_common_options_count_before_and_after_the_command(
    run: Run, service: FakeService, words: tuple[str, ...]
) -> None:
    ran = run(*words)

    assert ran.code == 0
    assert set(json.loads(ran.out)) == {"layers"}
    assert service.project == "p"


def test_the_facade_is_closed_whatever_happens(run: Run, service: FakeService) -> None:
    service.failure = OurcliError("it broke")

    run("memory", "stats")

    assert service.closed


def test_version_is_one_line(run: Run) -> None:
    assert run("--version").out == f"ourcli {__version__}\n"


def test_the_help_is_as_it_was(run: Run) -> None:
    ran = run("--help")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (SNAPSHOTS / "help.txt").read_text("utf-8")


@promise("cli.help.every-command")
@pytest.mark.parametrize(
    "words",
    [(name,) for name in COMMANDS if name not in {"config", "trust", "init"}] + [("memory", name) for name in MEMORY],
    ids=" ".join,
)
def test_every_command_has_help_that_begins_with_its_summary(run: Run, words: tuple[str, ...]) -> None:
    summary = (MEMORY if len(words) == 2 else COMMANDS)[words[-1]].summary

    ran = run(*words, "--help")

    assert ran.code == 0
    told = " ".join(ran.out.split())
    assert summary.rstrip(".").split(",")[0].split(":")[0] in told
    if words[0] not in {"chat", "completion"}:
        assert "--json" in told


@promise("cli.completion.shells")
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(run: Run, shell: str) -> None:
    ran = run("completion", shell)

    assert (ran.code, ran.err) == (0, "")
    assert "_OURCLI_COMPLETE" in ran.out
