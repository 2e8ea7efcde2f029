"""`--allow-secrets`, and what is said of a secret that was replaced."""

import json
from pathlib import Path

import pytest

from ourcli.memory.stored import Redaction
from ourcli.testing.secrets import A_SECRET
from ourcli.testing.service import FakeService
from tests.cli.running import Run
from tests.promises import promise

CLEAN = "the key is [secret: aws-access-key]"
HOMES = "/home"


@promise("cli.memory.secrets")
def test_add_says_what_was_replaced_and_how_to_override(run: Run, service: FakeService) -> None:
    ran = run("memory", "add", f"the key is {A_SECRET}")

    assert ran.out == "0190-1\n"
    assert "replaced before storing, in record 0190-1: aws-access-key; --allow-secrets" in ran.err
    assert service.stored["0190-1"].text == CLEAN


@promise("cli.memory.secrets")
def test_add_tells_it_as_json_and_lines_tell_every_record(run: Run) -> None:
    lines = "\n".join(json.dumps({"text": text}) for text in ("harmless", f"key {A_SECRET}", f"and {A_SECRET}"))

    one = run("memory", "add", f"the key is {A_SECRET}", "--json")
    many = run("memory", "add", "--jsonl", "-", "--json", stdin=lines)

    assert json.loads(one.out)["redacted"] == [{"id": "0190-1", "kinds": ["aws-access-key"]}]
    assert [entry["id"] for entry in json.loads(many.out)["redacted"]] == ["0190-3", "0190-4"]
    assert "in 2 records: aws-access-key" in many.err


@promise("cli.memory.secrets")
@pytest.mark.parametrize("way", [["the key is " + A_SECRET], ["--jsonl", "-"]])
def test_a_secret_is_stored_with_allow_secrets(run: Run, service: FakeService, way: list[str]) -> None:
    ran = run("memory", "add", *way, "--allow-secrets", stdin=json.dumps({"text": "the key is " + A_SECRET}))

    assert service.stored["0190-1"].text == "the key is " + A_SECRET
    assert "replaced" not in ran.err


@promise("cli.memory.secrets")
def test_an_ingestion_says_what_was_replaced_unless_it_is_allowed(
    run: Run, service: FakeService, tmp_path: Path
) -> None:
    service.redacted = (Redaction(id="0190-1", kinds=("jwt",)),)

    told = run("ingest", str(tmp_path), "--json")
    allowed = run("ingest", str(tmp_path), "--json", "--allow-secrets")

    assert json.loads(told.out)["redacted"] == [{"id": "0190-1", "kinds": ["jwt"]}]
    assert "in record 0190-1: jwt" in told.err
    assert json.loads(allowed.out)["redacted"] == []


@promise("cli.memory.secrets")
def test_a_question_hands_the_override_over(run: Run, service: FakeService) -> None:
    run("ask", "what now?")
    run("ask", "what now?", "--allow-secrets")

    assert [request.allow_secrets for request in service.asked] == [False, True]


@promise("cli.memory.export-redact")
def test_a_redacted_export_has_no_vectors_and_can_be_read_again(run: Run, service: FakeService, tmp_path: Path) -> None:
    run("memory", "add", f"mail ann@bee.org in {HOMES}/ann/src")
    file = tmp_path / "shared.jsonl"

    run("memory", "export", str(file), "--redact")
    run("memory", "import", str(file))

    line = json.loads(file.read_text())
    assert line["text"] == "mail [email] in /home/[user]/src"
    assert "embedding" not in line
    assert service.stored["0190-1"].text == line["text"]


@promise("cli.memory.forget")
def test_forget_hands_cascade_over(run: Run, service: FakeService) -> None:
    run("memory", "add", "root")

    ran = run("memory", "forget", "0190-1", "--cascade", "--json")

    assert json.loads(ran.out) == {"forgotten": ["0190-1"]}
    assert ("forget", (("0190-1",), None, True)) in service.calls


@promise("cli.memory.vacuum")
def test_vacuum_tells_what_it_did(run: Run) -> None:
    as_json = run("memory", "vacuum", "--json")
    as_text = run("memory", "vacuum")

    assert json.loads(as_json.out) == {"flushed": 3, "expired": 2, "compacted": 1, "indexed": 4}
    assert as_text.out == "3 changes flushed, 2 records expired, 1 data files joined, 4 rows indexed\n"
