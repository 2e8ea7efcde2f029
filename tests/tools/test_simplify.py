"""Schemas of strangers, brought to what is checked here and what a grammar can express."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, SchemaError

from ourcli.tools.data import Json
from ourcli.tools.schema import check_schema
from ourcli.tools.simplify import simplified
from tests.promises import promise

OBJECT = {"type": "object"}


@promise("tools.mcp.simplified")
@pytest.mark.parametrize(
    "schema", [None, [], "x", {"type": "string"}, {"type": 1}, {"$ref": "http://a/b"}, {"$ref": "#"}]
)
def test_what_is_no_schema_of_an_object_becomes_one_that_takes_everything(schema: Json) -> None:
    found, notes = simplified(schema)

    assert found == OBJECT
    assert notes


def test_a_plain_schema_stays_as_it_is_without_a_note() -> None:
    schema: Json = {
        "type": "object",
        "properties": {"a": {"type": "string", "pattern": "^[a-z]+$"}, "b": {"$ref": "#/$defs/B"}},
        "required": ["a"],
        "additionalProperties": False,
        "$defs": {"B": {"enum": [1, 2]}},
    }

    assert simplified(schema) == (schema, ())


@promise("tools.mcp.simplified")
@pytest.mark.parametrize(
    ("part", "left", "note"),
    [
        ({"type": "string", "pattern": "^(?=a)b"}, {"type": "string"}, "looks around"),
        ({"type": "string", "pattern": "a{1,5000}"}, {"type": "string"}, "repeats more than 1000"),
        ({"type": "array", "maxItems": 100_000}, {"type": "array"}, "repeats more than 1000"),
        ({"items": [{"type": "string"}]}, {"prefixItems": [{"type": "string"}]}, ""),
        ({"exclusiveMinimum": True}, {}, "not understood"),
        ({"$anchor": "x", "type": "string"}, {"type": "string"}, "not taken"),
        ({"not": {"pattern": "(?!a)"}}, {}, "looks around"),
        ({"oneOf": [{"pattern": "(?!a)"}, {"type": "null"}]}, {"anyOf": [{}, {"type": "null"}]}, "looks around"),
        ({"if": {"pattern": "(?!a)"}, "then": {"maxLength": 1}}, {}, "looks around"),
        (
            {"patternProperties": {"(?=a)": {}}, "additionalProperties": False},
            {"patternProperties": {}},
            "looks around",
        ),
        ({"contains": {"$ref": "x"}, "minContains": 1, "type": "array"}, {"type": "array"}, "leads nowhere"),
        ({"properties": {"$ref": {"type": "string"}}}, {"properties": {"$ref": {"type": "string"}}}, ""),
    ],
)
def test_what_cannot_be_expressed_is_left_out_and_told(part: Json, left: Json, note: str) -> None:
    found, notes = simplified({"type": "object", "properties": {"x": part}})

    assert found == {"type": "object", "properties": {"x": left}}
    assert note in "".join(notes)
    assert bool(note) is bool(notes)


def test_a_list_in_a_list_without_end_becomes_any_value() -> None:
    tree: Json = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}

    found, notes = simplified({**tree, "$defs": {"Node": tree}})  # type: ignore[dict-item]  # JSON

    assert found["properties"] == {"next": {}}
    assert "leads in a circle" in notes[0]


def test_references_that_multiply_are_left_out() -> None:
    bomb: dict[str, Json] = {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 10} for i in range(9)}

    found, notes = simplified(
        {"type": "object", "$defs": {**bomb, "d9": {}}, "properties": {"x": {"$ref": "#/$defs/d0"}}}
    )

    check_schema(found)
    assert len(notes) <= 21


_WORDS = st.sampled_from(
    [
        *("type", "properties", "items", "not", "if", "then", "oneOf", "anyOf", "allOf", "$ref", "$defs", "pattern"),
        *("patternProperties", "additionalProperties", "required", "enum", "const", "minLength", "maxItems", "$id"),
        *("exclusiveMinimum", "multipleOf", "contains", "dependentSchemas", "unevaluatedProperties", "default", "x"),
    ]
)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 99999)
    | st.sampled_from(["string", "object", "#", "#/$defs/x", "(?=a)", "a*"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=4),
    max_leaves=20,
)
_SAMPLES: list[Json] = [{}, {"x": 1}, {"x": "string"}, {"type": [1, 2]}, {"x": {}}, {"required": None, "not": "a"}]


@promise("tools.mcp.simplified")
@settings(max_examples=150, deadline=None)
@given(st.dictionaries(_WORDS, _VALUES, max_size=5))
def test_whatever_comes_out_is_taken_here_and_refuses_nothing_that_was_allowed(schema: dict[str, Json]) -> None:
    found, _ = simplified(schema)

    check_schema(found)
    try:
        Draft202012Validator.check_schema(schema)
        check_schema(schema)
    except (SchemaError, ValueError):
        return
    before, after = Draft202012Validator(schema), Draft202012Validator(found)
    assert all(after.is_valid(value) for value in _SAMPLES if before.is_valid(value))
