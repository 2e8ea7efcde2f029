"""What every language model does: the scripted one, a tiny random one, and a real one."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from ourcli.ai.backends.llama_cpp import LlamaCppModel
from ourcli.ai.ports import LanguageModel, TextDelta
from ourcli.common.errors import ModelError
from ourcli.testing.language_model import ScriptedLanguageModel
from tests.ai.language_models import answer, ask
from tests.promises import promise
from tests.support.tiny_gguf import make_tiny_gguf

pytestmark = pytest.mark.anyio

SCHEMA = {
    "type": "object",
    "properties": {"found": {"type": "boolean"}, "code": {"type": "string", "pattern": "^[a-c]{2}-\\d$"}},
    "required": ["found", "code"],
    "additionalProperties": False,
}
SCRIPT = ('{"found": true, "code": "ab-1"}',)
CONTEXT = 512


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", params=["scripted", "tiny", pytest.param("smollm", marks=pytest.mark.models)])
async def model(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LanguageModel]:
    if request.param == "scripted":
        yield ScriptedLanguageModel(SCRIPT, context_tokens=CONTEXT)
        return
    path: Path = (
        request.getfixturevalue("smollm")
        if request.param == "smollm"
        else make_tiny_gguf(tmp_path_factory.mktemp("model") / "tiny.gguf")
    )
    loaded = await LlamaCppModel.load(path, name=path.name, context_tokens=CONTEXT, threads=1, verified=True)
    yield loaded
    await loaded.close()


@promise("ai.llm.streams")
async def test_an_answer_streams_and_ends_with_its_counts(model: LanguageModel) -> None:
    request = ask("What is a cache?", max_tokens=8)

    text, finished = await answer(model, request)

    assert text
    assert finished.input_tokens == await model.count_prompt_tokens(request.messages)
    assert 0 < finished.output_tokens <= 8
    assert finished.generate_ms > 0


async def test_an_answer_ends_at_max_tokens(model: LanguageModel) -> None:
    _, finished = await answer(model, ask("Tell a long story.", max_tokens=3))

    assert (finished.reason, finished.output_tokens) == ("length", 3)


async def test_a_stop_text_ends_the_answer_and_is_not_part_of_it(model: LanguageModel) -> None:
    whole, _ = await answer(model, ask("Tell a long story."))
    stop = next(letter for letter in whole[1:] if letter.isalnum() and letter.isascii())

    text, finished = await answer(model, ask("Tell a long story.", stop=(stop,)))

    assert text == whole.split(stop)[0]
    assert finished.reason == "stop"


@promise("ai.llm.seed")
async def test_the_same_seed_gives_the_same_answer(model: LanguageModel) -> None:
    request = ask("Tell a story.", temperature=1.0, seed=7)
    await answer(model, request)  # from now on the prompt is cached for both alike

    first, _ = await answer(model, request)
    second, _ = await answer(model, request)

    assert first == second


@promise("ai.llm.prefix-cached")
async def test_a_prompt_that_begins_like_the_last_one_is_not_read_again(model: LanguageModel) -> None:
    rules = "Answer from the evidence, and cite it. " * 8
    await answer(model, ask("What is a cache?", system=rules, max_tokens=1))

    _, finished = await answer(model, ask("Who decided that?", system=rules, max_tokens=1))

    assert finished.cached_tokens >= await model.count_tokens(rules) - 2


@promise("ai.llm.leaving-stops")
async def test_leaving_early_stops_the_model_for_the_next_one(model: LanguageModel) -> None:
    async with model.chat(ask("Tell a long story.", max_tokens=400)) as stream:
        first = await anext(stream)

    _, finished = await answer(model, ask("Hello", max_tokens=1))

    assert isinstance(first, TextDelta)
    assert finished.output_tokens == 1


async def test_a_cancelled_answer_leaves_the_model_free(model: LanguageModel) -> None:
    with anyio.CancelScope() as scope:
        async with model.chat(ask("Tell a long story.", max_tokens=400)) as stream:
            async for _ in stream:
                scope.cancel()

    _, finished = await answer(model, ask("Hello", max_tokens=1))

    assert scope.cancelled_caught
    assert finished.output_tokens == 1


async def test_an_error_of_the_asker_passes_through_as_it_is(model: LanguageModel) -> None:
    async def fail() -> None:
        async with model.chat(ask("Tell a long story.", max_tokens=400)) as stream:
            await anext(stream)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await fail()


@promise("ai.llm.one-at-a-time")
async def test_requests_at_once_wait_for_each_other(model: LanguageModel) -> None:
    order: list[str] = []

    async def run(name: str) -> None:
        async with model.chat(ask(name, max_tokens=3)) as stream:
            order.append(f"{name} in")
            async for _ in stream:
                pass
            order.append(f"{name} out")

    async with anyio.create_task_group() as tasks:
        for name in "abc":
            tasks.start_soon(run, name)

    assert order == ["a in", "a out", "b in", "b out", "c in", "c out"]


@promise("ai.llm.context-limit")
async def test_a_prompt_beyond_the_context_is_refused_with_a_hint(model: LanguageModel) -> None:
    with pytest.raises(ModelError, match=f"the context {CONTEXT}") as refused:
        await answer(model, ask("word " * 600))

    assert refused.value.hint


@promise("ai.llm.json-schema")
async def test_a_structured_answer_keeps_to_its_schema(model: LanguageModel) -> None:
    text, finished = await answer(model, ask("Make one.", json_schema=SCHEMA, max_tokens=60))

    found = json.loads(text)
    assert finished.reason == "stop"
    assert isinstance(found["found"], bool)
    assert found["code"][2] == "-"


async def test_a_structured_answer_that_is_cut_off_says_so(model: LanguageModel) -> None:
    _, finished = await answer(model, ask("Make one.", json_schema=SCHEMA, max_tokens=2))

    assert finished.reason == "length"


async def test_a_schema_that_cannot_be_enforced_is_refused(model: LanguageModel) -> None:
    with pytest.raises(ModelError, match="look-arounds"):
        await answer(model, ask("Make one.", json_schema={"type": "string", "pattern": "^(?=a)b$"}))


async def test_no_text_has_no_tokens(model: LanguageModel) -> None:
    assert await model.count_tokens("") == 0
