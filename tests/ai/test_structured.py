"""Which schemas a model can be held to."""

from typing import Literal

import pytest
from pydantic import BaseModel, Field

from ourcli.ai.structured import check_schema
from ourcli.common.errors import ModelError


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "text"}, "unknown type 'text'"),
        ({"type": "string", "pattern": "^(?!x)y$"}, "look-arounds"),
        ({"type": "string", "pattern": r"^(a)\1$"}, "references"),
        ({"type": "string", "pattern": "^[a-z]{1,100000}$"}, "more than 1000 repetitions"),
        ({"type": "string", "pattern": "("}, "broken pattern"),
        ({"type": "string", "pattern": 5}, "no text"),
        ({"type": "array", "items": {"type": "null"}, "maxItems": 100_000}, "maxItems 100000"),
        ({"type": "array", "minItems": "3"}, "minItems '3'"),
        ({"not": {"type": "null"}}, "uses 'not'"),
        ({"type": "array", "uniqueItems": True}, "uses 'uniqueItems'"),
        ({"$ref": "https://example.org/x.json"}, "outside itself"),
        ({"type": "string", "format": "credit-card"}, "'credit-card'"),
        ({"type": "object", "properties": {"a": {"items": {"type": "nope"}}}}, "#/properties/a/items"),
        ({"type": "object", "properties": {"a": 5}}, "is not a schema"),
        ({"anyOf": [{"type": "null"}, {"if": {}}]}, "#/anyOf/1 uses 'if'"),
        ({"type": "object", "patternProperties": {"^(?=x)": {}}}, "look-arounds"),
    ],
)
def test_what_cannot_be_enforced_is_refused_by_name(schema: dict[str, object], told: str) -> None:
    with pytest.raises(ModelError) as refused:
        check_schema(schema)

    assert told in refused.value.message
    assert refused.value.hint


def test_a_schema_nested_without_end_is_refused() -> None:
    schema: dict[str, object] = {"type": "null"}
    for _ in range(100):
        schema = {"type": "array", "items": schema}

    with pytest.raises(ModelError, match="nested deeper"):
        check_schema(schema)


class Step(BaseModel):
    kind: Literal["recall", "generate"]
    text: str = Field(pattern=r"^\w[\w (?=)\\]{0,20}(?:ab|\(\?x\))?$", max_length=200)
    after: list[str] = Field(default=[], max_length=8)
    weight: float | None = Field(default=None, ge=0, le=1)


class Plan(BaseModel):
    goal: str
    steps: list[Step] = Field(min_length=1, max_length=12)


def test_the_schema_of_a_pydantic_model_is_taken() -> None:
    check_schema(Plan.model_json_schema())


@pytest.mark.parametrize("schema", [{}, {"type": ["string", "null"]}, {"additionalProperties": True}, {"const": 1}])
def test_small_schemas_are_taken(schema: dict[str, object]) -> None:
    check_schema(schema)
