"""What a conversation leaves in memory, and how it goes on."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from ourcli.ai.backends.llama_cpp import LlamaCppModel
from ourcli.ai.ports import ChatRequest
from ourcli.app.lifetime import open_service
from ourcli.app.requests import AskRequest
from ourcli.app.service import Service
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter
from ourcli.memory.record import Record, Trust
from tests.promises import promise

pytestmark = pytest.mark.anyio


@pytest.fixture
async def service(folder: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    monkeypatch.setenv("OURCLI_AI_LLM_MODEL", str(tiny))
    async with open_service() as opened:
        yield opened


async def everything(service: Service) -> list[Record]:
    found = await service.records(Filter(), None)
    return sorted(found, key=lambda record: (record.turn is None, record.turn, record.ts))


@promise("core.ask.remembers-turns")
async def test_question_and_answer_become_turns_of_the_session(service: Service) -> None:
    answer = await service.ask(AskRequest(text="how do bees navigate?", max_tokens=8, tags=("nature",)))

    question, reply = await everything(service)
    assert (question.kind, question.trust, question.speaker, question.turn) == ("question", Trust.USER, "user", 0)
    assert (reply.kind, reply.trust, reply.speaker, reply.turn) == ("answer", Trust.MODEL, "ourcli", 1)
    assert question.text == "how do bees navigate?"
    assert reply.text in answer.answer
    assert {question.layer, reply.layer} == {Layer.INTERACT}
    assert {question.session, reply.session} == {answer.session}
    assert question.tags == reply.tags == ("nature",)


@promise("core.ask.continues")
async def test_a_continued_session_gives_the_conversation_to_the_model(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[ChatRequest] = []
    chat = LlamaCppModel.chat

    def overheard(model: LlamaCppModel, request: ChatRequest) -> AbstractAsyncContextManager[AsyncIterator[object]]:
        requests.append(request)
        return chat(model, request)

    monkeypatch.setattr(LlamaCppModel, "chat", overheard)
    first = await service.ask(AskRequest(text="how do bees navigate?", max_tokens=8))

    second = await service.ask(AskRequest(text="and wasps?", max_tokens=8, continue_last=True))

    assert second.session == first.session
    told = [message.content for message in requests[1].messages]
    assert any("how do bees navigate?" in text for text in told)
    assert "and wasps?" in told[-1]
    assert [record.turn for record in await everything(service)] == [0, 1, 2, 3]


@promise("core.ask.continues")
async def test_without_being_told_a_new_session_begins(service: Service) -> None:
    first = await service.ask(AskRequest(text="how do bees navigate?", max_tokens=4))

    second = await service.ask(AskRequest(text="how do wasps navigate?", max_tokens=4))

    assert first.session != second.session


@promise("core.ask.continues")
async def test_the_last_session_is_known_after_reopening(service: Service, home: Path) -> None:
    first = await service.ask(AskRequest(text="how do bees navigate?", max_tokens=4))

    async with open_service() as reopened:
        second = await reopened.ask(AskRequest(text="and wasps?", max_tokens=4, continue_last=True))

    assert second.session == first.session


@promise("core.ask.no-memory")
async def test_without_memory_nothing_is_recalled_or_stored(service: Service) -> None:
    answer = await service.ask(AskRequest(text="we decided what?", max_tokens=4, use_memory=False))

    assert await everything(service) == []
    assert answer.timing_ms.recall == 0.0
    assert "Memory holds nothing" not in answer.answer


@promise("core.ask.decisions")
async def test_a_decision_is_kept_in_the_session_with_its_tag(service: Service) -> None:
    answer = await service.ask(AskRequest(text="We decided to deploy on Thursdays.", max_tokens=4))

    record = next(one for one in await everything(service) if one.text == "We decided to deploy on Thursdays.")
    assert (record.layer, record.tags, record.session) == (Layer.INTERACT, ("decision",), answer.session)
    assert record.trust is Trust.USER


@promise("core.ask.decisions")
async def test_a_question_can_be_tagged_as_a_decision(service: Service) -> None:
    await service.ask(AskRequest(text="Thursdays for deploys?", max_tokens=4, tags=("decision",)))

    assert {record.tags for record in await everything(service)} == {("decision",)}


@promise("core.ask.remembers-that")
async def test_what_is_to_be_remembered_goes_to_insights(service: Service) -> None:
    answer = await service.ask(AskRequest(text="Please remember that Anna reviews the releases."))

    (record,) = await everything(service)
    assert (record.text, record.layer, record.trust) == ("Anna reviews the releases.", Layer.INSIGHTS, Trust.USER)
    assert "Anna reviews the releases." in answer.answer
