"""Arguments of a call: written under a grammar, checked against the whole schema, repaired twice at most."""

import json
from collections.abc import Sequence

import pytest

from ourcli.ai.structured import check_schema
from ourcli.common.errors import ModelError, ToolInputError
from ourcli.testing.tools import a_spec
from ourcli.tools.arguments import as_fractions, fill, grammar_schema, invented, mentioned, type_in_words
from ourcli.tools.data import Json, JsonObject
from ourcli.tools.spec import ToolExample, ToolSpec
from tests.promises import promise

pytestmark = pytest.mark.anyio

QUESTION = "What is the area of a triangle with a base of 10 and a height of 5?"


class ScriptedWriter:
    """Write what the script says, the last line again and again; keep what was asked."""

    def __init__(self, *answers: str | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[list[str], JsonObject]] = []

    async def write(self, turns: Sequence[str], schema: JsonObject, *, max_tokens: int) -> str:
        assert max_tokens > 0
        self.asked.append((list(turns), schema))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def a_tool(properties: dict[str, Json], required: Sequence[str] = (), **more: Json) -> ToolSpec:
    """Return a tool that takes an object."""
    schema: dict[str, Json] = {"type": "object", "properties": properties, "required": list(required), **more}
    return ToolSpec(
        name="shape.area",
        description="The area of a shape",
        origin=a_spec().origin,
        input_schema=schema,
        examples=(ToolExample(input={"base": 1, "height": 2}, description="a small one"),),
    )


TRIANGLE = a_tool(
    {
        "base": {"type": "integer", "description": "Its base"},
        "height": {"type": "integer", "maximum": 100},
        "unit": {"type": "string", "description": "Of length", "enum": ["cm", "inch"]},
    },
    ["base", "height"],
)


@pytest.mark.parametrize(
    "answer", ["", "no", "[1]", '{"base": "ten", "height": 5}', '{"base": 10}', '{"base": 10, "height": 101}']
)
async def test_a_model_that_never_fits_the_schema_is_asked_three_times_and_no_more(answer: str) -> None:
    writer = ScriptedWriter(answer)
    with pytest.raises(ToolInputError, match=r"no arguments for the tool 'shape\.area'"):
        await fill(TRIANGLE, QUESTION, writer, given={})
    assert len(writer.asked) == 3


async def test_a_model_that_fails_fails_the_filling() -> None:
    with pytest.raises(ModelError, match="broken"):
        await fill(TRIANGLE, QUESTION, ScriptedWriter(ModelError("broken")), given={})


@promise("tools.arguments.repaired")
async def test_the_model_is_told_what_does_not_fit_in_the_validator_s_words() -> None:
    writer = ScriptedWriter('{"base": 10, "height": 500}', '{"base": 10, "height": 5}')
    filled = await fill(TRIANGLE, QUESTION, writer, given={})
    assert (filled.input, filled.repairs) == ({"base": 10, "height": 5}, 1)
    *_, wrong, told = writer.asked[1][0]
    assert wrong == '{"base": 10, "height": 500}'
    assert "height: 500 is greater than the maximum of 100" in told


@promise("tools.arguments.grammar")
async def test_the_model_sees_one_tool_with_types_in_words_an_example_and_the_question() -> None:
    writer = ScriptedWriter('{"base": 10, "height": 5}')
    await fill(TRIANGLE, QUESTION, writer, given={})
    (_, prompt), schema = writer.asked[0]
    assert "- base (integer, required): Its base" in prompt
    assert '- unit (one of "cm", "inch", optional): Of length' in prompt
    assert 'Example: a small one: {"base":1,"height":2}' in prompt
    assert prompt.endswith(f"Request: {QUESTION}")
    assert schema["additionalProperties"] is False


async def test_what_is_certain_is_not_asked_for() -> None:
    writer = ScriptedWriter('{"height": 5}')
    filled = await fill(TRIANGLE, QUESTION, writer, given={"base": 10})
    assert filled.input == {"base": 10, "height": 5}
    assert "base" not in json.dumps(writer.asked[0][1])


@promise("tools.arguments.grammar")
@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "(?=a)b"},
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 1_000_000, "uniqueItems": True},
        {"$ref": "#/$defs/tree"},
        {"not": {"type": "string"}},
        {"type": "string", "format": "odd"},
        True,
        {"oneOf": [{"type": "string", "minLength": 10**9}, {"type": "null"}]},
    ],
)
def test_schemas_beyond_a_grammar_are_made_simpler(schema: Json) -> None:
    check_schema(grammar_schema({"type": "object", "properties": {"a": schema}, "required": ["a", "gone"]}))


def test_a_grammar_follows_references_as_the_check_of_schemas_does() -> None:
    size: Json = {"type": "integer"}
    found = grammar_schema({"$defs": {"a/b": size}, "anyOf": [size], "properties": {"a": {"$ref": "#/$defs/a~1b"}}})

    assert found["properties"] == {"a": size}
    assert grammar_schema({"anyOf": [size], "items": {"$ref": "#/anyOf/0"}})["items"] == size


@promise("tools.arguments.not-invented")
@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("inch", True),
        ("cm", False),
        (10, True),
        (11, False),
        (["x", "base"], True),
        ({"a": "nothing"}, False),
        (None, False),
    ],
)
def test_an_optional_argument_that_the_question_does_not_speak_of_is_left_out(value: Json, kept: bool) -> None:
    schema = a_tool({"maybe": {}, "must": {}}, ["must"]).input_schema
    found = mentioned({"maybe": value, "must": "anything"}, schema, "a base of ten inches")
    assert found == ({"maybe": value, "must": "anything"} if kept else {"must": "anything"})


@promise("tools.arguments.not-invented")
def test_required_texts_and_numbers_that_the_question_lacks_are_named() -> None:
    schema = a_tool(
        {"city": {"type": "string"}, "days": {"type": "integer"}, "unit": {"enum": ["C", "F"]}}
    ).input_schema
    assert invented({"city": "London", "days": 3, "unit": "C"}, schema, "the weather in Paris") == ("city", "days")
    assert invented({"city": "Paris", "days": 3}, schema, "three days of weather in Paris") == ()


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({"type": "number"}, 0.08),
        ({"type": "number", "description": "as a percentage"}, 8),
        ({"type": "number", "description": "in percent, e.g. 5% is 0.05"}, 0.08),
        ({"type": "integer"}, 8),
        (True, 8),
    ],
)
def test_percentages_become_fractions_unless_the_tool_wants_percent(about: Json, expected: float) -> None:
    schema = a_tool({"rate": about}).input_schema
    assert as_fractions({"rate": 8}, schema, "discounted at 8% for 3 years") == {"rate": expected}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "array", "items": {"type": "integer"}}, "list of integer"),
        ({"type": ["string", "null"]}, "string or null"),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, "object with a: string"),
        ({}, "anything"),
        (False, "anything"),
    ],
)
def test_types_are_told_in_words(schema: Json, words: str) -> None:
    assert type_in_words(schema) == words
