"""`tools.search`: finds tools by what they do, also where nothing can be embedded."""

import json

import pytest
from anyio import CapacityLimiter

from ourcli.ai.embed import EmbeddingService
from ourcli.common.clock import SystemClock
from ourcli.common.errors import ModelMissingError, ToolInputError
from ourcli.testing.embedding import FakeEmbeddingCache, FakeEmbeddingModel
from ourcli.testing.events import RecordingSink
from ourcli.testing.grants import NoGrants
from ourcli.testing.tools import FakeTool, a_spec
from ourcli.tools.data import JsonObject, dump
from ourcli.tools.ports import SpecEmbedder, ToolContext
from ourcli.tools.registry import Registry
from ourcli.tools.runner import ToolRunner
from ourcli.tools.searching import ToolSearch
from tests.promises import promise

pytestmark = pytest.mark.anyio


class NoEmbedder:
    """An embedder whose model is not installed."""

    async def embed_query(self, text: str) -> object:
        raise ModelMissingError("there is no embedding model")

    async def embed_passages(self, texts: object) -> object:
        raise ModelMissingError("there is no embedding model")


def a_runner(embedder: SpecEmbedder) -> ToolRunner:
    search = ToolSearch(embedder)
    registry = Registry([search, FakeTool(a_spec("text.count")), FakeTool(a_spec("hello.hello"))])
    search.over(registry)
    return ToolRunner(registry, NoGrants(), clock=SystemClock(), sink=RecordingSink())


@pytest.mark.parametrize("given", [{}, {"query": ""}, {"query": "x", "limit": 0}, {"query": "x", "limit": 1_000}])
async def test_a_query_without_words_or_an_odd_limit_is_refused(given: JsonObject) -> None:
    runner = a_runner(NoEmbedder())  # type: ignore[arg-type]  # it only fails
    with pytest.raises(ToolInputError):
        await runner.call("tools.search", given, ToolContext())


@promise("tools.choice.search")
@pytest.mark.parametrize("embeds", [True, False])
async def test_the_best_tools_come_first_with_what_they_take(embeds: bool) -> None:
    real = EmbeddingService(FakeEmbeddingModel(), FakeEmbeddingCache(), limiter=CapacityLimiter(1))
    runner = a_runner(real if embeds else NoEmbedder())  # type: ignore[arg-type]  # the other one only fails

    result = await runner.call("tools.search", {"query": "hello: greets the world", "limit": 1}, ToolContext())

    (found,) = json.loads(dump(result.output))["tools"]
    assert (found["name"], found["origin"], found["side_effects"]) == ("hello.hello", "plugin:hello", "none")
    assert found["input_schema"]["required"] == ["name"]
