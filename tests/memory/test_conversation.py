"""Context at storing: the turn before comes along, or is in memory; the same on the fake store and the real one."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from anyio import CapacityLimiter

from ourcli.ai.embed import EmbeddingService
from ourcli.common.clock import SystemClock
from ourcli.memory.backends.journaled_store import open_journaled
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter, Query
from ourcli.memory.record import DIMS, Record
from ourcli.memory.service import MemoryService
from ourcli.testing.embedding import FakeEmbeddingCache, FakeEmbeddingModel
from ourcli.testing.events import RecordingSink
from ourcli.testing.memory import FakeRecordStore
from tests.promises import promise
from tests.support.records import a_record

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["fake", "real"])
async def memory(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MemoryService]:
    embedder = EmbeddingService(FakeEmbeddingModel(dims=DIMS), FakeEmbeddingCache(), limiter=CapacityLimiter(1))
    if request.param == "fake":
        yield MemoryService(FakeRecordStore(), embedder, None, clock=SystemClock(), sink=RecordingSink())
        return
    async with aclosing(await open_journaled(tmp_path / "db")) as store:
        yield MemoryService(store, embedder, None, clock=SystemClock(), sink=RecordingSink())


def said(text: str, turn: int, speaker: str, **changes: object) -> Record:
    return a_record(text, **{"layer": Layer.INTERACT, "session": "s", "turn": turn, "speaker": speaker, **changes})


async def contexts(memory: MemoryService) -> dict[str, str]:
    return {record.text: record.context for record in await memory.records(Filter())}


@promise("memory.context.stored")
async def test_turns_of_one_call_are_each_other_s_context(memory: MemoryService) -> None:
    await memory.add([said("At the harbour.", 1, "Ann"), said("Where shall we meet?", 0, "Bob")])
    assert await contexts(memory) == {
        "Where shall we meet?": "Bob, 1 March 2026",
        "At the harbour.": "Ann, 1 March 2026\nWhere shall we meet?",
    }


@promise("memory.context.stored")
async def test_the_turn_before_is_looked_up_in_its_own_session_and_project(memory: MemoryService) -> None:
    await memory.add([said("Where shall we meet?", 0, "Bob"), said("Elsewhere.", 0, "Eve", session="t")])
    await memory.add([said("At the harbour.", 1, "Ann"), said("Who?", 1, "Ann", project="other")])
    found = await contexts(memory)
    assert found["At the harbour."] == "Ann, 1 March 2026\nWhere shall we meet?"
    assert found["Who?"] == "Ann, 1 March 2026"


@promise("memory.context.turn")
async def test_a_turn_is_found_by_words_that_only_the_turn_before_holds(memory: MemoryService) -> None:
    answer = said("At the harbour.", 1, "Ann")
    await memory.add([said("Where shall we meet?", 0, "Bob"), answer, said("Nothing else matters.", 9, "Eve")])
    hits = (await memory.run(Query(text="meet", limit=3))).hits
    assert {hit.record.text for hit in hits if hit.card.text.rank} == {"Where shall we meet?", "At the harbour."}
    found = next(hit for hit in hits if hit.record.id == answer.id)
    assert found.card.model == "talk"
    assert found.record.text == "At the harbour."


async def test_a_context_that_comes_along_is_kept(memory: MemoryService) -> None:
    await memory.add([said("Yes.", 0, "Ann", context="exported with it")])
    assert await contexts(memory) == {"Yes.": "exported with it"}


@promise("memory.context.code")
async def test_code_is_found_by_its_names_in_words_in_the_index(memory: MemoryService) -> None:
    code = a_record("function getPixelColor() { return 1; }", kind="code", layer=Layer.ASSETS)
    await memory.add([code, a_record("a bakery with a cat")])
    hits = (await memory.run(Query(text="pixel", limit=2))).hits
    assert [hit.record.id for hit in hits if hit.card.text.rank] == [code.id]
