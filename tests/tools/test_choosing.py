"""Which tools fit a question: words and vectors together, and never more tools than are worth a prompt."""

import numpy as np
import pytest
from anyio import CapacityLimiter

from ourcli.ai.embed import EmbeddingService
from ourcli.testing.embedding import FakeEmbeddingCache, FakeEmbeddingModel
from ourcli.testing.tools import a_spec
from ourcli.tools.choosing import Choice, ToolIndex, digest, document, fitting, in_words
from ourcli.tools.data import Json
from ourcli.tools.spec import ToolExample, ToolSpec
from ourcli.tools.vectors import Matrix
from tests.promises import promise

pytestmark = pytest.mark.anyio


def a_tool(name: str, description: str = "", **properties: str) -> ToolSpec:
    """Return a spec with these words; `properties` are descriptions of texts."""
    schema: dict[str, Json] = {key: {"type": "string", "description": told} for key, told in properties.items()}
    base = a_spec(name)
    return ToolSpec(
        name=name, description=description, origin=base.origin, input_schema={"type": "object", "properties": schema}
    )


COUNT = a_tool("fs.count", "Count the words and lines of a file", path="A file")
FETCH = a_tool("http.fetch", "Fetch a web page", url="Its address")
WEATHER = a_tool("weather.forecast", "Tell the weather of a city", city="The name of the city")
ALL = (COUNT, FETCH, WEATHER)


def test_no_tools_give_no_choice() -> None:
    assert ToolIndex((), None).rank("count the words") == ()
    assert fitting(()) == ()


@pytest.mark.parametrize("question", ["", "???", "the of and", "\x00\ud800"])
def test_a_question_without_meaning_fits_nothing(question: str) -> None:
    assert fitting(ToolIndex(ALL, None).rank(question)) == ()


def test_a_schema_of_a_stranger_breaks_nothing() -> None:
    odd = ToolSpec(
        name="odd.tool",
        description="",
        origin=COUNT.origin,
        input_schema={"properties": {"a": True, "b": {"description": 5}}},
    )
    assert document(odd) == "odd tool. a:  b:"


@promise("tools.choice.fitting")
@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("how many words and lines are in this file?", "fs.count"),
        ("fetch this web page", "http.fetch"),
        ("what is the weather in the city of Paris?", "weather.forecast"),
    ],
)
def test_words_alone_bring_the_right_tool_to_the_front(question: str, name: str) -> None:
    assert ToolIndex(ALL, None).rank(question)[0].spec.name == name


@promise("tools.choice.fitting")
async def test_vectors_and_words_are_added_up() -> None:
    embedder = EmbeddingService(FakeEmbeddingModel(), FakeEmbeddingCache(), limiter=CapacityLimiter(1))
    index = await ToolIndex.build(ALL, embedder)
    question = "count the words of a file"
    best = index.rank(question, await embedder.embed_query(question))[0]
    assert best.spec is COUNT
    assert best.score == pytest.approx(best.similarity + 0.4 * best.overlap, abs=1e-6)


def test_what_only_a_parameter_says_counts_half() -> None:
    by_name, by_parameter = a_tool("a.city"), a_tool("b.tool", city="x")
    ranked = ToolIndex((by_parameter, by_name), None).rank("city")
    assert [(one.spec.name, one.overlap) for one in ranked] == [("a.city", 1.0), ("b.tool", 0.5)]


@promise("tools.choice.few")
def test_of_many_tools_only_the_few_near_the_best_are_offered() -> None:
    scores = [0.9, 0.8, 0.76, 0.7, 0.5]
    ranked = [Choice(spec=COUNT, score=score, similarity=score, overlap=0.0) for score in scores]
    assert [one.score for one in fitting(ranked)] == [0.9, 0.8, 0.76]
    assert len(fitting([ranked[0]] * 50)) == 5
    assert fitting([Choice(spec=COUNT, score=0.44, similarity=0.44, overlap=0.0)]) == ()


@promise("tools.choice.many")
def test_a_thousand_tools_are_ranked_by_one_product_and_a_look_at_the_question_s_own_words() -> None:
    vectors: Matrix = np.zeros((1_000, 8), dtype=np.float32)
    vectors[:, 0] = np.linspace(0, 1, 1_000, dtype=np.float32)
    specs = [a_tool(f"many.tool{at}", "Do a thing") for at in range(999)] + [COUNT]
    question: Matrix = np.eye(1, 8, dtype=np.float32)[0]
    ranked = ToolIndex(specs, vectors).rank("count the lines of a file", question)
    assert len(ranked) == 1_000
    assert ranked[0].spec is COUNT
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)


def test_names_are_read_as_words() -> None:
    assert in_words("fs.readFile_now-please") == "fs read File now please"


def test_the_document_holds_name_description_examples_and_parameters() -> None:
    spec = ToolSpec(
        name="fs.count",
        description="Count words",
        origin=COUNT.origin,
        input_schema=COUNT.input_schema,
        examples=(ToolExample(input={"path": "a"}, description="how long is a text"),),
    )
    assert document(spec) == "fs count. Count words how long is a text path: A file"


def test_the_digest_changes_with_what_a_tool_says_of_itself() -> None:
    assert digest(ALL) == digest(list(ALL))
    assert digest(ALL) != digest((*ALL[:2], a_tool("weather.forecast", "Tell lies", city="x")))
