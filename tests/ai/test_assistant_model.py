"""The real 0.5B model: what it is for."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ourcli.ai.backends.llama_cpp import LlamaCppModel
from tests.ai.language_models import answer, ask
from tests.promises import promise

pytestmark = [pytest.mark.anyio, pytest.mark.assistant]

RULES = "Answer the question in one sentence, from the evidence only.\n\nEvidence:\n[1] "
DECISION = "We decided to use a write-through cache with a 15 minute TTL."


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def model(qwen_half_billion: Path) -> AsyncIterator[LlamaCppModel]:
    loaded = await LlamaCppModel.load(qwen_half_billion, name="qwen", context_tokens=1024, verified=True)
    yield loaded
    await loaded.close()


@promise("ai.llm.answers-from-evidence")
async def test_it_answers_from_the_evidence(model: LlamaCppModel) -> None:
    text, finished = await answer(model, ask("What TTL did we choose for the cache?", system=RULES + DECISION))

    assert "15" in text
    assert finished.input_tokens > 20


@promise("ai.llm.json-schema")
async def test_it_fills_a_schema(model: LlamaCppModel) -> None:
    schema = {
        "type": "object",
        "properties": {"kind": {"enum": ["cache", "queue"]}, "ttl_minutes": {"type": "integer"}},
        "required": ["kind", "ttl_minutes"],
        "additionalProperties": False,
    }

    text, finished = await answer(model, ask("Extract: " + DECISION, json_schema=schema, max_tokens=40))

    assert json.loads(text) == {"kind": "cache", "ttl_minutes": 15}
    assert finished.reason == "stop"
