"""Moves of memory on the command line, with the real store and models: announced, done, explained, taken back."""

import io
import json
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ourcli.cli.main import execute
from tests.promises import promise

pytestmark = pytest.mark.models
Run = Callable[..., Any]
SAID = "We decided to name the release Kestrel. Lunch was nice."


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs a command in this process and returns its JSON document, or the text of it."""

    def call(*words: str, parsed: bool = True) -> Any:
        out = io.StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            assert execute([*words, "--json"]) == 0, out.getvalue()
        return json.loads(out.getvalue()) if parsed else out.getvalue()

    return call


@promise("cli.memory.why-end-to-end")
def test_a_promotion_is_explained_with_rule_version_sources_and_trace(run: Run) -> None:
    (record_id,) = run("memory", "add", SAID, "--layer", "interact", "--tag", "decision")["ids"]
    rules = {rule["name"]: rule["version"] for rule in run("memory", "policy", "show")["rules"]}

    applied = run("memory", "policy", "apply", "--at", "+25h")
    told = run("memory", "why", record_id)

    assert [(one["record_id"], one["from"], one["to"]) for one in applied["actions"]] == [
        (record_id, "interact", "insights")
    ]
    (entry,) = told["ledger"]
    assert (entry["rule"], entry["rule_version"]) == ("promote-decision", rules["promote-decision"])
    assert entry["sources"] == [{"id": record_id, "sha256": sha256(SAID.encode()).hexdigest()}]
    assert entry["trace_id"]
    assert entry["inputs"]["because"]
    assert told["record"]["layer"] == "insights"
    assert (entry["before"][0]["text"], entry["after"][0]["text"]) == (SAID, told["record"]["text"])


@promise("cli.memory.undo-end-to-end")
def test_undo_restores_what_get_printed_byte_for_byte(run: Run) -> None:
    added = run("memory", "add", SAID, "--layer", "interact", "--tag", "decision", "--tag", "ü\u202e")
    (record_id,) = added["ids"]
    before = run("memory", "get", record_id, parsed=False)
    run("memory", "policy", "apply", "--at", "+25h")
    moved = run("memory", "get", record_id, parsed=False)

    undone = run("memory", "undo", "last")
    after = run("memory", "get", record_id, parsed=False)

    assert undone["ledger"][0]["verb"] == "undo"
    assert moved != before
    assert after == before


@promise("cli.memory.policy-end-to-end")
def test_a_simulation_announces_exactly_what_apply_then_does(run: Run) -> None:
    for text, layer, tag in (
        ("We decided to cache for 15 minutes", "interact", "decision"),
        ("good morning", "interact", "greeting"),
        ("Logs are kept for 30 days", "insights", "logs"),
        ("The staging database is called heron", "insights", "logs"),
    ):
        run("memory", "add", text, "--layer", layer, "--tag", tag)
    stored = run("memory", "list", "--limit", "0")

    announced = run("memory", "policy", "simulate", "--at", "2126-01-01")
    unchanged = run("memory", "list", "--limit", "0")
    done = run("memory", "policy", "apply", "--at", "2126-01-01")

    assert unchanged == stored
    assert announced["actions"]
    assert done["actions"] == announced["actions"]
    assert run("memory", "policy", "simulate", "--at", "2126-01-01") == {"actions": []}


@promise("cli.memory.inbox-end-to-end")
def test_moves_wait_for_a_person_when_the_inbox_is_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURCLI_MEMORY_INBOX", "true")
    (record_id,) = run("memory", "add", SAID, "--layer", "interact", "--tag", "decision")["ids"]

    applied = run("memory", "policy", "apply", "--at", "+25h")
    (waiting,) = run("memory", "inbox", "list")["actions"]
    before = run("memory", "get", record_id)["record"]["layer"]
    accepted = run("memory", "inbox", "accept", "--all")
    after = run("memory", "get", record_id)["record"]["layer"]

    assert (applied["waiting"], waiting["record_id"], before) == (1, record_id, "interact")
    assert [one["record_id"] for one in accepted["actions"]] == [record_id]
    assert after == "insights"
    assert run("memory", "inbox", "list") == {"actions": []}


@promise("cli.memory.pin-end-to-end")
def test_a_pinned_record_is_left_alone_by_every_rule(run: Run) -> None:
    (record_id,) = run("memory", "add", "keep me", "--layer", "interact")["ids"]

    run("memory", "pin", record_id)
    pinned = run("memory", "policy", "simulate", "--at", "+30d")
    run("memory", "pin", record_id, "--remove")
    freed = run("memory", "policy", "simulate", "--at", "+30d")

    assert pinned == {"actions": []}
    assert [one["rule"] for one in freed["actions"]] == ["expire-interact"]


@promise("cli.memory.nearest-id")
def test_a_mistyped_id_is_met_with_the_nearest(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (record_id,) = run("memory", "add", SAID, "--layer", "interact")["ids"]
    (entry,) = run("memory", "promote", record_id)["ledger"]
    mistyped = {"why": record_id, "pin": record_id, "promote": record_id, "demote": record_id, "undo": entry["id"]}

    for command, known in mistyped.items():
        assert execute(["memory", command, known[:-1]]) == 1
        assert f"hint: did you mean {known}? " in capsys.readouterr().err
    assert execute(["memory", "why", "nothing-like-it"]) == 1
    assert "did you mean" not in capsys.readouterr().err
