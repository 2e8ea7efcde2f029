"""Schemas of strangers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ourcli.tools.data import Json
from ourcli.tools.patterns import BadPatternError, check_pattern
from ourcli.tools.quick import quick_check
from ourcli.tools.schema import BadSchemaError, Schema, check_schema
from tests.promises import promise


def nested(levels: int) -> dict[str, Json]:
    inner: dict[str, Json] = {"type": "string"}
    for _ in range(levels):
        inner = {"type": "object", "properties": {"a": inner}}
    return inner


def doubling(levels: int) -> dict[str, Json]:
    """Return a small schema that has two to the power of `levels` parts when its references are written out."""
    definitions: dict[str, Json] = {"d0": {"type": "string"}}
    for level in range(1, levels):
        reference: Json = {"$ref": f"#/$defs/d{level - 1}"}
        definitions[f"d{level}"] = {"allOf": [reference, reference]}
    return {"$defs": definitions, "$ref": f"#/$defs/d{levels - 1}"}


@promise("tools.schema.bounded")
@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "nothing"}, "not valid"),
        ({"type": "object", "properties": {"a": 1}}, "not valid"),
        ({"$ref": "#"}, "in a circle"),
        ({"properties": {"a": {"$ref": "#/properties/b"}, "b": {"$ref": "#/properties/a"}}}, "in a circle"),
        ({"$ref": "#/$defs/none"}, "leads nowhere"),
        ({"$ref": "#here"}, "leads nowhere"),
        ({"$ref": "#/anyOf/²", "anyOf": [{"type": "string"}]}, "leads nowhere"),
        ({"$dynamicRef": "#x"}, "not taken"),
        ({"$id": "https://example.org/a"}, "not taken"),
        (doubling(40), "more than"),
        (nested(40), "nested deeper"),
        ({"properties": {"a": {"pattern": "(a+)+$"}}}, "repeats a repetition"),
        ({"patternProperties": {"(a|a)*b": {}}}, "repeats a choice"),
        ({"items": [1, 2]}, "not valid"),
    ],
)
def test_a_schema_that_could_cost_more_than_its_size_says_is_refused(schema: dict[str, Json], words: str) -> None:
    with pytest.raises(BadSchemaError, match=words):
        check_schema(schema)


@promise("tools.schema.no-fetch")
@pytest.mark.parametrize("reference", ["https://example.org/schema", "file:///etc/passwd", "other.json", "//host/x"])
def test_a_reference_to_another_place_is_refused(reference: str) -> None:
    with pytest.raises(BadSchemaError, match="leads out"):
        check_schema({"type": "object", "properties": {"a": {"$ref": reference}}})


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer"}, 1, "1"),
        ({"type": "array", "uniqueItems": True}, [1, True, "1", [1]], [1, 1.0]),
        ({"type": "array", "uniqueItems": True}, [{"a": 1}, {"a": 2}], [{"a": 1, "b": 2}, {"b": 2, "a": 1}]),
        ({"pattern": "^[a-z]+$"}, "abc", "ABC"),
        ({"pattern": "^[a-z]+$"}, 1, "a" * 5000),
        ({"enum": [{"$ref": "no reference here"}]}, {"$ref": "no reference here"}, 1),
        ({"$defs": {"a/b": {"type": "string"}}, "$ref": "#/$defs/a~1b"}, "x", 1),
        ({"properties": {"$ref": {"type": "string"}}}, {"$ref": "x"}, {"$ref": 1}),
        ({"type": "object", "additionalProperties": False}, {}, {"a": 1}),
    ],
)
def test_values_are_held_against_the_schema(schema: dict[str, Json], good: Json, bad: Json) -> None:
    checked = Schema(schema)

    assert checked.faults(good) == ()
    assert checked.faults(bad) != ()


def test_faults_are_few_short_and_say_where() -> None:
    checked = Schema({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}})

    faults = checked.faults({"a": [1] * 100})

    assert len(faults) == 5
    assert faults[0] == "a/0: 1 is not of type 'string'"


PLAIN = st.recursive(
    st.sampled_from(["string", "integer", "number", "boolean", "null", "array"]).map(lambda kind: {"type": kind}),
    lambda inner: (
        st.builds(lambda one: {"type": "array", "items": one}, inner)
        | st.builds(
            lambda named, needed, others: {
                "type": "object",
                "properties": named,
                "required": needed,
                "additionalProperties": others,
            },
            st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
            st.lists(st.sampled_from("abc"), max_size=2, unique=True),
            st.booleans() | inner,
        )
    ),
    max_leaves=6,
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0, 1.5]) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=6,
)


@given(PLAIN, VALUES)
def test_the_quick_check_says_yes_only_where_the_full_one_does(schema: Json, value: Json) -> None:
    check = quick_check(schema)

    if check is not None and check(value):
        assert Draft202012Validator(schema).is_valid(value)


@promise("tools.schema.bounded")
@pytest.mark.parametrize(
    "pattern",
    ["(a+)+", "(a*)*b", "(a|b|ab)*c", "(a{1,9}){1,9}", "(?=a)b", r"(a)\1", "(", "x" * 300, "a*b*c*d*e*f*", "((a?)b)*"],
)
def test_patterns_that_could_take_too_long_are_refused(pattern: str) -> None:
    with pytest.raises(BadPatternError):
        check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["", "^[a-z][a-z0-9_-]{0,63}$", r"^\d{4}-\d{2}-\d{2}$", "^(a|b)$", "[^@]+@[^@]+", "(ab){3}"]
)
def test_plain_patterns_are_taken(pattern: str) -> None:
    check_pattern(pattern)
