"""`memory why|history|undo|pin|promote|demote`, `memory policy`, `memory inbox`."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from ourcli.memory.inbox import Proposal
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Verb
from ourcli.memory.policy.check import Fault, Problem
from ourcli.memory.record import Source, Trust
from ourcli.testing.lifecycle import NOON, RULE_VERSION, an_action, an_entry
from ourcli.testing.service import FakeService, a_record
from tests.cli.running import Run
from tests.promises import promise

BECAUSE = "it is 33 h old (more than 24 h) and tagged decision"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("why",), "Missing argument"),
        (("undo",), "Missing argument"),
        (("pin",), "Missing argument"),
        (("promote", "0190-1", "--to", "attic"), "--to"),
        (("history", "--since", "soon"), "no ISO date or time"),
        (("policy", "simulate", "--at", "soon"), "no ISO date or time"),
        (("policy", "sow"), "no such command 'sow'"),
        (("inbox", "accept"), "say what to accept"),
        (("inbox", "reject", "0192-1", "--all"), "say what to reject"),
    ],
)
def test_wrong_words_are_usage_errors(run: Run, service: FakeService, words: tuple[str, ...], message: str) -> None:
    ran = run("memory", *words)

    assert ran.code == 2
    assert message in ran.err
    assert service.calls == []


@promise("cli.memory.why")
@pytest.mark.parametrize("command", ["why", "pin", "promote", "demote"])
def test_an_unknown_record_is_told_with_the_way_to_the_known_ones(run: Run, command: str) -> None:
    ran = run("memory", command, "0190-9")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "error: no record '0190-9'\nhint: `ourcli memory list` shows the ids there are\n"


@promise("cli.memory.why")
def test_why_has_the_keys_of_the_contract(run: Run, service: FakeService) -> None:
    record = a_record("TTL is 15", tags=("decision",), parents=("0190-0", "0190-2"))
    service.stored |= {"0190-1": record, "0190-2": a_record("said", 2, layer=Layer.INTERACT)}
    service.lifecycle.entries = [an_entry(record)]

    told = json.loads(run("memory", "why", "0190-1", "--json").out)

    assert set(told) == {"record", "lineage", "ledger"}
    assert told["record"]["text"] == "TTL is 15"
    assert [(one["id"], one["gone"]) for one in told["lineage"]] == [("0190-0", True), ("0190-2", False)]
    (entry,) = told["ledger"]
    assert (entry["id"], entry["rule"], entry["rule_version"]) == ("0191-1", "promote-decision", RULE_VERSION)
    assert (entry["at"], entry["trace_id"]) == ("2026-01-03T12:00:00.000Z", "trace-1")
    assert entry["inputs"] == {"because": BECAUSE, "age_hours": 33, "older_than_hours": 24, "tags": ["decision"]}
    assert entry["sources"] == [{"id": "0190-1", "sha256": sha256(b"TTL is 15").hexdigest()}]
    assert ([one["layer"] for one in entry["before"]], [one["layer"] for one in entry["after"]]) == (
        ["interact"],
        ["insights"],
    )
    assert "vector" not in json.dumps(told)


@promise("cli.memory.why")
def test_why_reads_as_a_story(run: Run, service: FakeService) -> None:
    source = Source(uri="/notes/cache.md", lines=(3, 7), sha256="cd" * 32)
    record = a_record("TTL is 15", source=source, trust=Trust.TOOL)
    service.stored["0190-1"] = replace(record, parents=record.parents)
    service.lifecycle.entries = [replace(an_entry(record), undone_by="0191-2")]

    ran = run("memory", "why", "0190-1")

    assert ran.out.splitlines() == [
        "0190-1 is in insights, project default, said by tool, from /notes/cache.md:3-7",
        "  TTL is 15",
        "",
        "moves, oldest first:",
        "2026-01-03T12:00:00.000Z  promoted (interact > insights) by promote-decision @ab12ab12ab12",
        f"  because: {BECAUSE}",
        f"  source: 0190-1 sha256 {sha256(b'TTL is 15').hexdigest()[:12]}…",
        "  trace: trace-1",
        "  ledger id: 0191-1  (taken back by 0191-2)",
    ]


def test_why_tells_of_a_record_that_is_gone_and_of_one_that_never_moved(run: Run, service: FakeService) -> None:
    service.stored["0190-2"] = a_record("still", 2)
    service.lifecycle.entries = [
        an_entry(a_record("TTL is 15"), verb=Verb.EXPIRE, layers={"0190-1": ("interact", None)})
    ]

    gone, still = run("memory", "why", "0190-1"), run("memory", "why", "0190-2")

    assert gone.out.startswith("0190-1 is not there any more")
    assert "expired (interact > (gone))" in gone.out
    assert still.out.endswith("no rule and no command ever moved it\n")


@promise("cli.memory.history")
def test_history_lists_moves_newest_first_from_a_moment_on(run: Run, service: FakeService) -> None:
    record = a_record("TTL is 15")
    undone = replace(an_entry(record), undone_by="0191-2")
    undoing = an_entry(
        record, 2, verb=Verb.UNDO, rule="user", rule_version="", undoes="0191-1", touched=("a", "b"), layers={}
    )
    service.lifecycle.entries = [undone, undoing]

    shown, data = run("memory", "history"), run("memory", "history", "--since", "2026-01-03T12:00:00Z", "--json")
    empty = run("memory", "history", "--since", "2026-01-04")

    assert [line.split()[0] for line in shown.out.splitlines()] == ["id", "0191-2", "0191-1"]
    assert "a and 1 more" in shown.out
    assert shown.out.splitlines()[2].endswith("taken back")
    told = json.loads(data.out)["ledger"]
    assert [(entry["id"], entry["touched"]) for entry in told] == [("0191-2", ["a", "b"]), ("0191-1", ["0190-1"])]
    assert (empty.code, empty.out, empty.err) == (0, "", "nothing was moved since then\n")


@promise("cli.memory.undo")
def test_undo_takes_a_move_back_and_names_the_entry_that_says_so(run: Run, service: FakeService) -> None:
    service.lifecycle.entries = [an_entry(a_record("TTL is 15")), an_entry(a_record("b", 2), 2)]

    shown, data = run("memory", "undo", "0191-1"), run("memory", "undo", "0191-2", "--json")

    assert (shown.out, shown.err) == ("0190-1\n", "undo: insights > interact, by you; ledger id 0191-3\n")
    (entry,) = json.loads(data.out)["ledger"]
    assert (entry["verb"], entry["undoes"]) == ("undo", "0191-2")
    assert service.stored["0190-1"].layer is Layer.INTERACT


@promise("cli.memory.undo")
def test_an_undo_that_is_refused_says_what_has_to_be_undone_first(run: Run, service: FakeService) -> None:
    service.lifecycle.entries = [an_entry(a_record("TTL is 15"))]
    service.lifecycle.refuses_undo = "undo 0191-2 first"

    refused, unknown = run("memory", "undo", "0191-1"), run("memory", "undo", "0191-9")

    assert (refused.code, refused.out) == (1, "")
    assert refused.err.endswith("hint: undo 0191-2 first\n")
    assert "`ourcli memory history` lists them" in unknown.err


@promise("cli.memory.pin")
def test_pins_are_set_and_taken(run: Run, service: FakeService) -> None:
    service.stored |= {"0190-1": a_record("a"), "0190-2": a_record("b", 2)}

    pinned = run("memory", "pin", "0190-1", "0190-2")
    again = run("memory", "pin", "0190-1")
    freed = run("memory", "pin", "0190-2", "--remove", "--json")

    assert pinned.out == "0190-1\n0190-2\n"
    assert (again.code, again.out, again.err) == (0, "", "nothing to do: pinned already\n")
    assert json.loads(freed.out) == {"unpinned": ["0190-2"]}
    assert service.lifecycle.pinned == {"0190-1"}


@promise("cli.memory.promote")
def test_a_record_is_moved_by_hand(run: Run, service: FakeService) -> None:
    service.stored["0190-1"] = a_record("a", layer=Layer.INTERACT)

    up = run("memory", "promote", "0190-1", "--to", "insights")
    down = run("memory", "demote", "0190-1", "--json")

    assert (up.out, up.err) == ("0190-1\n", "promote: interact > insights, by you; ledger id 0191-1\n")
    assert json.loads(down.out)["ledger"][0]["layers"] == {"0190-1": ["insights", "assets"]}
    assert [call for call, _ in service.calls] == ["promote", "demote"]


@promise("cli.memory.policy")
def test_rules_are_shown_as_they_are_written(run: Run) -> None:
    shown, data = run("memory", "policy", "show"), run("memory", "policy", "show", "--json")

    assert shown.out.splitlines() == [
        "# shipped, version ab12ab12ab12",
        "[[memory.rules]]",
        'name = "promote-decision"',
        'when = { layer = "interact", older_than = "24h", tags = ["decision"] }',
        'then = { do = "promote", to = "insights", distil = true }',
    ]
    assert json.loads(data.out)["rules"][0]["version"] == RULE_VERSION


@promise("cli.memory.policy")
def test_rules_that_cannot_work_together_end_with_2(run: Run, service: FakeService) -> None:
    fine = run("memory", "policy", "check")
    service.lifecycle.found = [Problem(fault=Fault.FIGHT, rules=("a", "b"), reason="a undoes what b does")]
    wrong, data = run("memory", "policy", "check"), run("memory", "policy", "check", "--json")

    assert (fine.code, fine.out) == (0, "")
    assert (wrong.code, wrong.out) == (2, "fight: a undoes what b does\n")
    assert data.code == 2
    assert json.loads(data.out) == {
        "problems": [{"fault": "fight", "rules": ["a", "b"], "reason": "a undoes what b does"}]
    }


@promise("cli.memory.policy")
def test_a_simulation_announces_what_is_due_at_a_moment(run: Run, service: FakeService) -> None:
    summary = an_action(
        rule="demote-stale-insight",
        verb=Verb.SUMMARISE,
        record_ids=("0190-1", "0190-2"),
        origin=Layer.INSIGHTS,
        target=Layer.ASSETS,
    )
    service.lifecycle.due = [summary, an_action("0190-3", verb=Verb.EXPIRE, target=None)]

    shown = run("memory", "policy", "simulate", "--at", "2026-04-01T00:00:00Z")
    data = json.loads(run("memory", "policy", "simulate", "--json").out)

    assert shown.out.splitlines()[1].split("  ")[:2] == ["demote-stale-insight", "summarise"]
    assert "0190-1 and 1 more" in shown.out
    assert "interact > (gone)" in shown.out
    assert [(one["record_id"], one["from"], one["to"], one["because"]) for one in data["actions"]] == [
        ("0190-1", "insights", "assets", BECAUSE),
        ("0190-2", "insights", "assets", BECAUSE),
        ("0190-3", "interact", None, BECAUSE),
    ]
    assert {"rule", "record_id", "from", "to", "because"} <= set(data["actions"][0])
    assert service.calls == [("simulate", (datetime(2026, 4, 1, tzinfo=UTC),)), ("simulate", (None,))]


def test_a_moment_to_come_can_be_written_as_so_long_from_now(run: Run, service: FakeService) -> None:
    run("memory", "policy", "simulate", "--at", "+25h")

    ((_, (at,)),) = service.calls
    assert isinstance(at, datetime)
    assert timedelta(hours=24) < at - datetime.now(UTC) <= timedelta(hours=25)


@promise("cli.memory.policy")
def test_what_was_applied_is_told_with_what_waits_and_what_was_left(run: Run, service: FakeService) -> None:
    nothing = run("memory", "policy", "apply")
    service.lifecycle.due = [an_action()]
    service.lifecycle.entries = [an_entry(a_record("a"))]
    service.lifecycle.skipped = ("0190-7 changed meanwhile",)
    shown, data = run("memory", "policy", "apply", "--at", "2026-01-04"), run("memory", "policy", "apply", "--json")

    assert (nothing.out, nothing.err) == ("", "the rules ask for nothing\n")
    assert "promote-decision" in shown.out
    assert shown.err.startswith("warning: 0190-7 changed meanwhile\n1 moves, in the ledger")
    assert json.loads(data.out)["ledger_ids"] == ["0191-1"]
    assert service.calls[1] == ("apply", (datetime(2026, 1, 4, tzinfo=UTC),))


def test_when_everything_due_was_left_it_is_not_said_that_nothing_was_due(run: Run, service: FakeService) -> None:
    service.lifecycle.skipped = ("0190-7 changed meanwhile",)

    ran = run("memory", "policy", "apply")

    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "warning: 0190-7 changed meanwhile\nnothing was moved\n"


@promise("cli.memory.inbox")
def test_what_waits_is_listed_accepted_and_rejected(run: Run, service: FakeService) -> None:
    service.lifecycle.waiting = [
        Proposal(id=f"0192-{number}", at=NOON, action=an_action(f"0190-{number}"), versions=())
        for number in range(1, 5)
    ]

    shown, data = run("memory", "inbox", "list"), json.loads(run("memory", "inbox", "list", "--json").out)
    accepted = run("memory", "inbox", "accept", "0192-1", "--json")
    rejected = run("memory", "inbox", "reject", "0192-2")
    rest = run("memory", "inbox", "accept", "--all")
    empty = run("memory", "inbox", "list")

    assert len(shown.out.splitlines()) == 5
    assert {"id", "at", "rule", "record_id", "from", "to", "because"} <= set(data["actions"][0])
    assert [one["record_id"] for one in json.loads(accepted.out)["actions"]] == ["0190-1"]
    assert rejected.out == "0192-2\n"
    assert "0190-3" in rest.out
    assert empty.err == "nothing waits for you\n"


@promise("cli.memory.inbox")
def test_what_does_not_wait_cannot_be_decided(run: Run) -> None:
    ran = run("memory", "inbox", "accept", "0192-9")

    assert (ran.code, ran.out) == (1, "")
    assert "`ourcli memory inbox list` shows what does" in ran.err
