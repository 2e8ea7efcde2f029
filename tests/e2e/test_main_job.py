"""The main job: what one process remembers the next one answers from, offline."""

from pathlib import Path

import pytest

from ourcli.app.lifetime import open_service
from ourcli.app.requests import AskRequest, NewRecord
from ourcli.common.net import Gate
from ourcli.memory.query import Query
from tests.promises import promise
from tests.support.process import NO_NETWORK, CommandLine

DECISION = "We decided to use a write-through cache with a 15 minute TTL"
QUESTION = "what TTL did we decide for the cache?"
ANSWER_KEYS = {
    *("run_id", "session", "project", "model", "mode", "answer", "citations", "plan", "usage", "timing_ms"),
    "notices",
    "tools",
}


@promise("core.ask.recalls-between-processes")
@promise("core.ask.quotes")
def test_what_one_process_stores_the_next_one_quotes(ourcli: CommandLine) -> None:
    stored = ourcli.run("memory", "add", DECISION, "--tag", "decision", "--json").document["ids"]

    asked = ourcli.run("ask", QUESTION, "--json")

    assert asked.code == 0
    answer = asked.document
    assert set(answer) == ANSWER_KEYS
    assert "15 minute" in answer["answer"]
    assert answer["citations"][0] == {
        "number": 1,
        "record_id": stored[0],
        "layer": "insights",
        "score": answer["citations"][0]["score"],
        "source": None,
        "text": DECISION,
    }
    assert (answer["mode"], answer["model"]) == ("quoted", "SmolLM2-135M-Instruct")
    assert "ourcli models pull" in asked.err


@pytest.mark.assistant
@pytest.mark.usefixtures("qwen_half_billion")
@promise("core.ask.recalls-between-processes")
def test_an_assistant_answers_from_what_another_process_stored(ourcli: CommandLine) -> None:
    stored = ourcli.run("memory", "add", DECISION, "--tag", "decision", "--json").document["ids"]

    asked = ourcli.run("ask", QUESTION, "--json", "--model", "Qwen2.5-Coder-0.5B-Instruct")

    answer = asked.document
    assert "15 minute" in answer["answer"]
    assert stored[0] in [citation["record_id"] for citation in answer["citations"]]
    assert answer["mode"] == "generated"
    assert answer["usage"]["output_tokens"] > 0


@pytest.mark.anyio
@pytest.mark.usefixtures("folder")
@promise("core.ask.holds-nothing")
async def test_without_evidence_the_answer_says_so_and_quotes_nothing(tiny: Path) -> None:
    async with open_service() as service:
        await service.add([NewRecord(text=DECISION)])

        answer = await service.ask(AskRequest(text="Who painted the Mona Lisa?", model=str(tiny), max_tokens=8))

    assert answer.answer.startswith("*Memory holds nothing about this")
    assert (answer.mode, answer.citations) == ("generated", ())
    assert DECISION not in answer.answer
    assert answer.usage.output_tokens > 0
    assert "ourcli models pull" in " ".join(answer.notices)


@pytest.mark.usefixtures("no_network")
@promise("core.offline.main-job")
def test_the_main_job_needs_no_network(ourcli: CommandLine) -> None:
    alone = ourcli.among(*NO_NETWORK)
    (ourcli.folder / "notes.md").write_text("# Deploys\n\nDeploys happen on Thursdays from the release branch.\n")

    added = alone.run("memory", "add", DECISION)
    ingested = alone.run("ingest", "notes.md", "--json")
    quoted = alone.run("ask", QUESTION, "--json")
    written = alone.run("ask", "Who painted the Mona Lisa?", "--json", "--max-tokens", "8")
    talked = alone.run("chat", stdin="when do deploys happen?\n")

    assert [ran.code for ran in (added, ingested, quoted, written, talked)] == [0] * 5
    assert ingested.document["files"] == 1
    assert (quoted.document["mode"], written.document["mode"]) == ("quoted", "generated")
    assert "Thursdays" in talked.out


@pytest.mark.anyio
@promise("core.offline.gate-unasked")
async def test_the_main_job_never_asks_for_the_network(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(Gate, "allow", lambda _gate, purpose, host: asked.append((purpose, host)))
    (folder / "notes.md").write_text("# Deploys\n\nDeploys happen on Thursdays from the release branch.\n")

    async with open_service() as service:
        await service.setup_plan(None, small=True)
        await service.add([NewRecord(text=DECISION)])
        await service.ingest([folder / "notes.md"], None)
        await service.search(Query(text="when are deploys?"))
        quoted = await service.ask(AskRequest(text=QUESTION))
        written = await service.ask(AskRequest(text="Who painted the Mona Lisa?", max_tokens=8))

    assert (quoted.mode, written.mode) == ("quoted", "generated")
    assert asked == []
