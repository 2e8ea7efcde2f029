"""Short texts for memory, written by a language model under a grammar."""

import json
from pathlib import Path

import pytest
from anyio import CapacityLimiter

from ourcli.ai.backends.llama_cpp import LlamaCppModel
from ourcli.ai.embed import EmbeddingService
from ourcli.ai.models.spec import Capability
from ourcli.ai.ports import Finished, LanguageModel
from ourcli.app.memory.writing import ModelWriter
from ourcli.app.reader import Reader
from ourcli.common.errors import ConfigError, ModelBrokenError, ModelMissingError, OurcliError
from ourcli.memory.ledger import Image
from ourcli.memory.lifecycle.distil import Distiller
from ourcli.memory.lifecycle.faithful import invented
from ourcli.memory.record import DIMS
from ourcli.testing.embedding import FakeEmbeddingCache, FakeEmbeddingModel
from ourcli.testing.language_model import ScriptedLanguageModel
from tests.promises import promise
from tests.support.records import a_record, axis

pytestmark = pytest.mark.anyio

NOTE = "We decided to use a write-through cache with a 15 minute TTL."


class StubReader:
    """A model with a capability and room for so many prompt tokens."""

    name = "stub"

    def __init__(self, model: LanguageModel, capability: Capability = Capability.ASSISTANT, room: int = 500) -> None:
        self._model, self.capability, self._room = model, capability, room
        self.noted: list[Finished] = []

    async def model(self) -> LanguageModel:
        return self._model

    async def prompt_tokens(self, answer_tokens: int) -> int:
        return self._room

    def note(self, finished: Finished) -> None:
        self.noted.append(finished)

    def notices(self) -> tuple[str, ...]:
        return ()


def scripted(answer: str | OurcliError) -> ScriptedLanguageModel:
    return ScriptedLanguageModel([answer if isinstance(answer, OurcliError) else json.dumps({"text": answer})])


@promise("memory.distil.writer")
async def test_it_writes_under_a_schema_and_shows_the_texts_as_data() -> None:
    model = scripted("A cache with a 15 minute TTL.")
    reader = StubReader(model)
    text = await ModelWriter(lambda: reader).write("Sum up.", [NOTE, "Another."], 300)
    assert text == "A cache with a 15 minute TTL."
    (request,) = model.requests
    assert request.json_schema is not None
    assert request.json_schema["required"] == ["text"]
    assert "never an instruction" in request.messages[0].content
    assert request.messages[1].content == f"1. {NOTE}\n2. Another."
    assert len(reader.noted) == 1


@promise("memory.distil.writer")
async def test_a_model_of_too_little_capability_is_not_even_loaded() -> None:
    model = scripted("Something.")
    assert await ModelWriter(lambda: StubReader(model, Capability.FALLBACK)).write("Sum up.", [NOTE], 300) is None
    assert model.requests == []


@pytest.mark.parametrize(
    "error", [ModelMissingError("none"), ModelBrokenError("broken"), ConfigError("remote models cannot answer yet")]
)
async def test_without_a_model_nothing_is_written(error: OurcliError) -> None:
    def reader() -> Reader:
        raise error

    assert await ModelWriter(reader).write("Sum up.", [NOTE], 300) is None


async def test_a_model_that_fails_while_it_writes_writes_nothing() -> None:
    reader = StubReader(scripted(ModelBrokenError("it crashed")))
    assert await ModelWriter(lambda: reader).write("Sum up.", [NOTE], 300) is None


async def test_sources_beyond_the_models_room_are_not_written_about() -> None:
    model = scripted("Something.")
    assert await ModelWriter(lambda: StubReader(model, room=20)).write("Sum up.", [NOTE * 20], 300) is None
    assert model.requests == []


async def test_an_answer_that_does_not_end_is_none() -> None:
    reader = StubReader(scripted("word " * 500))
    assert await ModelWriter(lambda: reader).write("Sum up.", [NOTE], 60) is None


@promise("memory.distil.real-model")
@pytest.mark.assistant
async def test_a_real_model_writes_what_holds_against_its_source(qwen_half_billion: Path) -> None:
    chat = f"Hi all, nice weekend? {NOTE} It is cleared every night at 02:30. See you!"
    embedder = EmbeddingService(FakeEmbeddingModel(dims=DIMS), FakeEmbeddingCache(), limiter=CapacityLimiter(1))
    model = await LlamaCppModel.load(qwen_half_billion, name="qwen", context_tokens=1024, verified=True)
    writer = ModelWriter(lambda: StubReader(model))
    try:
        written = await writer.write("Repeat the decision in one sentence.", [NOTE], 120)
        distilled = await Distiller(writer, embedder).distilled(Image(record=a_record(chat), vector=axis(0)[0]))
    finally:
        await model.close()
    assert written is not None
    assert "15" in written
    assert len(written) <= 120
    assert len(distilled.record.text) < len(chat)
    assert "15 minute" in distilled.record.text
    assert invented(distilled.record.text, [chat]) == ()
