"""What `memory add` and `/decide` say of an older decision that the new one contradicts."""

import json

import pytest

from ourcli.memory.stored import Contradiction
from ourcli.testing.service import FakeService
from tests.cli.running import Run
from tests.promises import promise

FOUND = Contradiction(id="0190-1", record_id="0190-0", text="TTL is 15 minutes", why="it says 15 minutes")
LINE = "this contradicts 0190-0, 'TTL is 15 minutes': it says 15 minutes; both are kept"


@promise("cli.memory.contradicts")
@pytest.mark.parametrize("way", [["TTL is 30 minutes"], ["--jsonl", "-"]])
def test_add_points_out_what_a_decision_contradicts(run: Run, service: FakeService, way: list[str]) -> None:
    service.contradicts = (FOUND,)
    ran = run("memory", "add", *way, stdin='{"text": "TTL is 30 minutes"}')
    assert ran.out == "0190-1\n"
    assert LINE in ran.err


@promise("cli.memory.contradicts")
def test_add_tells_it_as_json(run: Run, service: FakeService) -> None:
    service.contradicts = (FOUND,)
    ran = run("memory", "add", "TTL is 30 minutes", "--json")
    assert json.loads(ran.out)["contradicts"] == [
        {"id": "0190-1", "with": "0190-0", "text": "TTL is 15 minutes", "why": "it says 15 minutes"}
    ]


@promise("cli.memory.contradicts")
def test_deciding_in_a_chat_points_it_out(run: Run, service: FakeService) -> None:
    service.contradicts = (FOUND,)
    ran = run("chat", stdin="/decide TTL is 30 minutes\n")
    assert "remembered as 0190-1" in ran.out
    assert LINE in ran.err
