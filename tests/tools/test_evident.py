"""What a question gives of a tool's arguments word for word, and what it must never be taken for."""

import pytest

from ourcli.testing.tools import a_spec
from ourcli.tools.data import Json
from ourcli.tools.evident import Question, evident
from ourcli.tools.rendering import called, rendered
from ourcli.tools.spec import ToolSpec
from tests.promises import promise


def a_tool(required: str, **properties: Json) -> ToolSpec:
    """Return a tool that takes `properties`, of which the words of `required` must be given."""
    names: list[Json] = [*required.split()]
    schema: dict[str, Json] = {"type": "object", "properties": properties, "required": names}
    return ToolSpec(name="a.tool", description="", origin=a_spec().origin, input_schema=schema)


TEXT: Json = {"type": "string"}
COUNT = a_tool("path", path=TEXT, glob=TEXT)
SEARCH = a_tool("pattern", pattern=TEXT, path=TEXT)
CALC = a_tool("expression", expression=TEXT)
FETCH = a_tool("url", url=TEXT)
ROOT = a_tool("number", number={"type": "integer"})


@pytest.mark.parametrize("tool", [COUNT, FETCH])
@pytest.mark.parametrize("text", ["", "how many words does it have?", 'the word "x"', "version 1.2.3", "\x00" * 10])
def test_a_tool_that_needs_a_file_or_address_is_none_for_a_question_without(tool: ToolSpec, text: str) -> None:
    assert evident(tool, Question(text=text)) is None


@promise("tools.ask.weak-model")
@pytest.mark.parametrize(
    ("tool", "text", "files", "given"),
    [
        (COUNT, "how many words are in a.md?", ("a.md",), {"path": "a.md"}),
        (SEARCH, 'find "TODO 1" in src/', ("src/",), {"pattern": "TODO 1", "path": "src/"}),
        (CALC, "what is (3 + 4) × 12?", (), {"expression": "(3 + 4) * 12"}),
        (FETCH, "what does https://example.org/a?b=c say?", (), {"url": "https://example.org/a?b=c"}),
        (ROOT, "the square root of 16", (), {"number": 16}),
        (a_tool("unit", unit={"enum": ["celsius", "kelvin"]}), "in kelvin please", (), {"unit": "kelvin"}),
        (
            a_tool("paths", paths={"type": "array", "items": TEXT}),
            "a.md and b.md",
            ("a.md", "b.md"),
            {"paths": ["a.md", "b.md"]},
        ),
    ],
)
def test_what_cannot_be_mistaken_is_taken(
    tool: ToolSpec, text: str, files: tuple[str, ...], given: dict[str, Json]
) -> None:
    found = evident(tool, Question(text=text, files=files))
    assert found is not None
    assert (dict(found.given), found.complete) == (given, True)


@pytest.mark.parametrize(
    ("tool", "text"),
    [
        (SEARCH, 'find "a" or "b"'),
        (ROOT, "the root of 16 or 25"),
        (ROOT, "the root of 1.5"),
        (CALC, "what happened on 2026-11-22?"),
        (CALC, "read lines 10-20"),
    ],
)
def test_what_could_mean_two_things_is_left_to_a_model(tool: ToolSpec, text: str) -> None:
    found = evident(tool, Question(text=text))
    assert found is not None
    assert (dict(found.given), found.complete) == ({}, False)


def test_what_is_left_in_the_question_may_belong_to_an_argument_without_a_value() -> None:
    found = evident(
        a_tool("path", path=TEXT, first={"type": "integer"}), Question(text="line 3 of a.md", files=("a.md",))
    )
    assert found is not None
    assert (dict(found.given), found.complete) == ({"path": "a.md"}, False)


def test_the_general_words_stand_for_what_is_named() -> None:
    asked = Question(text="is a.md longer than src/ and https://x.org/y or 2 + 2?", files=("a.md", "src/"))
    assert asked.general == "is this file longer than this folder and this web page or this calculation?"


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ({}, "(nothing)"),
        ({"words": 6, "ok": True, "none": None}, "words: 6\nok: true\nnone: null"),
        ({"text": "one\ntwo\x1b[31m"}, "text:\none\ntwo"),
        ({"total": {"words": 6, "deep": {"a": 1}}}, 'total: words 6, deep {"a":1}'),
        (
            {"files": [{"path": "a", "words": 6}, {"path": "b", "words": 7}], "x": []},
            "files:\npath a, words 6\npath b, words 7\nx: none",
        ),
    ],
)
def test_answers_are_rendered_as_harmless_lines(output: dict[str, Json], text: str) -> None:
    assert rendered(output) == text


@promise("tools.record.remembered")
def test_long_answers_and_inputs_are_cut() -> None:
    assert rendered({"text": "x" * 10_000}, most_chars=50) == f"text: {'x' * 44}\n… (cut)"
    assert len(called({"text": "x" * 10_000})) < 1_100
