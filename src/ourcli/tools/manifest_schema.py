"""The JSON Schema of `manifest.json`, for editors and for those who write plugins; made from the reader's own model."""

from typing import cast

from ourcli.tools.data import Json
from ourcli.tools.manifest import Manifest

_FORMS: Json = [
    {"anyOf": [{"required": ["inputs"]}, {"required": ["outputs"]}], "not": {"anyOf": [{"required": ["spec"]}]}},
    {"required": ["spec"], "not": {"anyOf": [{"required": ["inputs"]}, {"required": ["outputs"]}]}},
    {"required": ["tools"], "not": {"anyOf": [{"required": ["inputs"]}, {"required": ["outputs"]}]}},
]


def manifest_schema() -> dict[str, Json]:
    """Return the schema (2020-12). What only the reader sees, such as doubled names, is not in it."""
    schema = cast("dict[str, Json]", Manifest.model_json_schema(mode="validation"))
    _accept_synonyms(schema)
    for definition in cast("dict[str, dict[str, Json]]", schema["$defs"]).values():
        _accept_synonyms(definition)
    schema["oneOf"] = _FORMS
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "The manifest of a plugin"}


def _accept_synonyms(schema: dict[str, Json]) -> None:
    """Take both words for what has two, but not at once."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return
    for word, other in Manifest.aliases:
        if word not in properties:
            continue
        properties[other] = properties[word]
        required = schema.get("required")
        if isinstance(required, list) and word in required:
            required.remove(word)
            alternatives: Json = [{"required": [word]}, {"required": [other]}]
            schema["oneOf"] = alternatives
        elif word != "spec":
            schema.setdefault("not", {"required": [word, other]})
