"""What a person is asked before a tool gets a right or changes something, and what happens where nobody is here."""

import json
from pathlib import Path

import pytest

from ourcli.cli.amounts import parse_bytes
from ourcli.cli.invocation import Invocation
from ourcli.testing.service import FakeService
from ourcli.testing.tools import a_spec
from ourcli.tools.capabilities import parse
from ourcli.tools.grants import Difference, Until
from ourcli.tools.spec import SideEffects
from tests.cli.running import Run
from tests.promises import promise

READ = parse("fs:read=/data")


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a person at the terminal."""
    monkeypatch.setattr(Invocation, "interactive", property(lambda _self: True))


def names(service: FakeService) -> list[str]:
    return [name for name, _ in service.calls]


@promise("tools.call.denied")
def test_where_nobody_can_be_asked_a_call_is_denied_and_nothing_changes(run: Run, service: FakeService) -> None:
    service.tools.specs = [a_spec(capabilities=["fs:read=/data"], side_effects=SideEffects.LOCAL)]

    ran = run("tools", "call", "hello.hello")

    assert (ran.code, "fs:read=/data" in ran.err) == (4, True)
    assert not {"tools.call", "tools.grant"} & set(names(service))


@promise("tools.consent.asks")
@pytest.mark.usefixtures("person")
@pytest.mark.parametrize(
    ("answer", "code", "called", "until"),
    [
        ("n\n", 4, False, None),
        ("\n", 4, False, None),
        ("", 130, False, None),
        ("x\nno\n", 4, False, None),
        ("o\n", 0, True, None),
        ("session\n", 0, True, Until.SESSION),
        ("A\n", 0, True, Until.ALWAYS),
    ],
)
def test_a_person_decides_whether_and_for_how_long(
    run: Run, service: FakeService, answer: str, code: int, called: bool, until: Until | None
) -> None:
    service.tools.specs = [a_spec(capabilities=["fs:read=/data"])]

    ran = run("tools", "call", "hello.hello", "--session", "talk", stdin=answer)

    assert (ran.code, "tools.call" in names(service)) == (code, called)
    granted = [arguments for name, arguments in service.calls if name == "tools.grant"]
    assert [(one[1], one[2].until, one[2].session) for one in granted] == ([((READ,), until, "talk")] if until else [])  # type: ignore[attr-defined]  # what the desk was given


@promise("tools.consent.asks")
@pytest.mark.usefixtures("person")
def test_the_question_says_what_why_whose_and_what_changed_without_driving_the_terminal(
    run: Run, service: FakeService
) -> None:
    service.tools.specs = [a_spec(capabilities=["fs:read=/data"])]
    service.tools.why_asked = "it is the project's own"
    service.tools.changed = Difference(added=(READ,), removed=(parse("clock"),), lines=("+ \x1b[2Kevil \u202etxt",))

    ran = run("tools", "call", "hello.hello", stdin="n\n")

    for said in (
        "fs:read=/data: read /data and all that lies below it",
        "'Greets the world'",
        "plugin:hello in '/plugins/hello', sha256 " + "ab" * 32,
        "the project's own",
        "it requests fs:read=/data now",
        "it does not request clock any more",
        "+ evil txt",
        "[o]nce, for this [s]ession, [a]lways, [n]o",
    ):
        assert said in ran.err
    assert ran.out == ""
    assert "\x1b[2K" not in ran.err
    assert "ourcli tools grant hello fs:read=/data" in ran.err


@promise("tools.consent.asks")
@pytest.mark.usefixtures("person")
def test_nobody_is_asked_without_being_shown_what_about_when_only_errors_are_told(
    run: Run, service: FakeService
) -> None:
    service.tools.specs = [a_spec(capabilities=["fs:read=/data"])]

    ran = run("-q", "tools", "call", "hello.hello", stdin="n\n")

    assert "fs:read=/data: read /data and all that lies below it" in ran.err
    assert "plugin:hello in '/plugins/hello'" in ran.err


@promise("tools.consent.asks")
@pytest.mark.usefixtures("person")
def test_a_right_that_only_the_call_itself_shows_is_asked_for_too(run: Run, service: FakeService) -> None:
    service.tools.needs = ("fs:write=/data/a", "fs:read=/etc")

    ran = run("tools", "call", "hello.hello", stdin="o\na\n")

    assert ran.code == 0
    assert service.tools.held >= {parse("fs:read=/etc")}
    assert parse("fs:write=/data/a") not in service.tools.held


@pytest.mark.usefixtures("person")
def test_a_change_is_shown_before_it_is_agreed_to(run: Run, service: FakeService) -> None:
    service.tools.specs = [a_spec(side_effects=SideEffects.LOCAL)]
    service.tools.shown = "--- a\n+++ b\n+new \x1b[31mline"

    ran = run("tools", "call", "hello.hello", stdin="n\n")

    assert ran.code == 130
    assert "+new line" in ran.err
    assert "tools.call" not in names(service)


@promise("tools.grants.command")
def test_grant_and_revoke_pass_on_what_they_were_told(run: Run, service: FakeService) -> None:
    granted = run("tools", "grant", "hello", "fs:write=/data", "clock", "--quota", "10MiB", "--why", "notes", "--json")
    revoked = run("tools", "revoke", "hello", "clock", "--json")

    assert json.loads(granted.out) == {
        "granted": ["fs:write=/data", "clock"],
        "origin": "plugin:hello",
        "sha256": "ab" * 32,
    }
    terms = next(arguments[2] for name, arguments in service.calls if name == "tools.grant")
    assert (terms.until, terms.quota_bytes, terms.why) == (Until.ALWAYS, 10 * 1024 * 1024, "notes")  # type: ignore[attr-defined]  # what the desk was given
    assert json.loads(revoked.out)["revoked"] == ["clock"]
    assert service.tools.held == {parse("fs:write=/data")}


@promise("tools.grants.command")
@pytest.mark.parametrize(
    "words",
    [
        ["grant", "hello"],
        ["grant", "hello", "clock", "--for", "ever"],
        ["grant", "hello", "clock", "--for", "once"],
        ["grant", "hello", "clock", "--session", "talk"],
        ["grant", "hello", "fs:write=/a", "--quota", "much"],
        ["grant", "hello", "fs:write=/a", "--quota", "-1"],
        ["revoke"],
    ],
)
def test_words_that_mean_nothing_are_usage_errors(run: Run, service: FakeService, words: list[str]) -> None:
    assert run("tools", *words).code == 2
    assert service.calls == []


def test_what_is_no_capability_is_refused_with_the_shapes(run: Run, service: FakeService) -> None:
    ran = run("tools", "grant", "hello", "fly")

    assert (ran.code, "fs:read=PATH" in ran.err, service.calls) == (1, True, [])


@pytest.mark.parametrize(
    ("text", "size"),
    [("10MiB", 10 << 20), ("2 GB", 2_000_000_000), ("1.5k", 1536), ("7", 7), ("7b", 7), ("1M", 1 << 20)],
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@promise("tools.plugins.added")
def test_adding_tells_what_the_plugin_requests_and_how_to_grant_it(run: Run, service: FakeService) -> None:
    told, listed = run("plugins", "add", "x.zip"), run("plugins", "add", "/a/x", "--replace", "--json")

    assert (told.code, told.out) == (0, "")
    assert "`ourcli tools grant hello clock`" in told.err
    assert json.loads(listed.out)["plugins"][0]["replaced"] is True
    assert ("tools.add_plugin", (Path("/a/x"), True)) in service.calls


@promise("tools.plugins.removed")
@pytest.mark.parametrize(("words", "code"), [(["--yes"], 0), ([], 3)])
def test_removing_needs_a_person_or_yes(run: Run, service: FakeService, words: list[str], code: int) -> None:
    ran = run("plugins", "remove", "hello", *words)

    assert ran.code == code
    assert ("tools.remove_plugin" in names(service)) is (code == 0)


@promise("tools.plugins.removed")
@pytest.mark.usefixtures("person")
@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("\n", 130)])
def test_removing_asks(run: Run, service: FakeService, answer: str, code: int) -> None:
    ran = run("plugins", "remove", "hello", stdin=answer)

    assert ran.code == code
    assert ("tools.remove_plugin" in names(service)) is (code == 0)
