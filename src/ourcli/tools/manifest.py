"""A plugin's `manifest.json`: read with care, in its two forms.

The simple form lists `inputs` and `outputs` of one tool, which has the plugin's name. The full form lists tools
with JSON Schemas under `spec` (or `tools`). Both may add the rest.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_validator,
    model_validator,
)

from ourcli.common.errors import InvalidInputError, PluginError
from ourcli.tools.capabilities import Capability
from ourcli.tools.capabilities import parse as parse_capability
from ourcli.tools.data import BadJsonError, Json, parse
from ourcli.tools.schema import BadSchemaError, check_schema
from ourcli.tools.spec import SideEffects

FILE_NAME = "manifest.json"
MOST_BYTES = 256 * 1024
MOST_TOOLS = 128
_MODULE = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\.wasm\Z")

_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)")
"""Names of devices on Windows, whatever follows the dot: a plugin of that name could not be copied there."""

_PluginName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$", description="Small letters, digits, - and _.")]
_ToolName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$", description="Letters, digits, - and _.")]
_FieldName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")]
_Text = Annotated[str, Field(max_length=4096)]
_Line = Annotated[str, Field(max_length=200)]


class Mode(StrEnum):
    """How long an instance of the module lives."""

    PERSISTENT = "persistent"
    FRESH = "fresh"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class Limits(_Strict):
    """How much a plugin may use."""

    memory_mib: int = Field(default=256, ge=1, le=4095, description="Memory of one instance, MiB.")
    timeout_ms: int = Field(default=10_000, ge=1, le=600_000, description="A call is stopped after so long.")
    fuel: int | None = Field(
        default=None, ge=1, le=10**15, description="Instructions an instance may run, counted from its start."
    )
    output_bytes: int = Field(
        default=1_048_576, ge=1, le=67_108_864, description="Bytes a call may write to stdout, and to stderr."
    )


class FieldOf(_Strict):
    """One input or output of the simple form."""

    name: _FieldName
    type: Literal["string", "integer", "number", "boolean", "array", "object"]
    description: _Text = ""
    required: bool = True


class ExampleOf(_Strict):
    """A call as it could be."""

    input: dict[str, JsonValue]
    output: dict[str, JsonValue] | None = None
    description: _Text = ""


class ToolOf(_Strict):
    """One tool of the full form."""

    name: _ToolName
    description: _Text
    input_schema: dict[str, JsonValue] = Field(validation_alias=AliasChoices("inputSchema", "input_schema"))
    output_schema: dict[str, JsonValue] | None = Field(
        default=None, validation_alias=AliasChoices("outputSchema", "output_schema")
    )
    examples: tuple[ExampleOf, ...] = Field(default=(), max_length=16, strict=False)
    side_effects: SideEffects = Field(
        default=SideEffects.NONE,
        strict=False,
        validation_alias=AliasChoices("sideEffects", "side_effects"),
        description="What a call changes; rights to write or to connect raise it.",
    )
    idempotent: bool = False

    @field_validator("input_schema", "output_schema")
    @classmethod
    def _is_a_schema_of_an_object(cls, given: dict[str, Json] | None) -> dict[str, Json] | None:
        if given is not None:
            try:
                check_schema(given)
            except BadSchemaError as exc:
                raise ValueError(str(exc)) from exc
            if given.get("type") != "object":
                raise ValueError('its "type" must be "object"')
        return given


class Manifest(_Strict):
    """What a plugin is, offers and needs."""

    schema_: str | None = Field(default=None, alias="$schema", max_length=1024)
    name: _PluginName
    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$")] = "0"
    description: _Text
    entry: str | None = Field(
        default=None,
        description="Which *.wasm of the folder; needed when there are several.",
        json_schema_extra={"pattern": _MODULE.pattern.replace("\\Z", "$")},
    )
    inputs: tuple[FieldOf, ...] | None = Field(default=None, max_length=64, strict=False)
    outputs: tuple[FieldOf, ...] | None = Field(default=None, max_length=64, strict=False)
    spec: tuple[ToolOf, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_TOOLS,
        strict=False,
        validation_alias=AliasChoices("spec", "tools"),
        description="The tools; `tools` is another word for it.",
    )
    capabilities: tuple[str, ...] = Field(default=(), max_length=64, strict=False, description="What it requests.")
    limits: Limits = Limits()
    mode: Mode | None = Field(
        default=None, strict=False, description="Without it: `fresh` in the simple form, else `persistent`."
    )
    license: _Line = ""
    homepage: _Line = ""

    aliases: ClassVar[Sequence[tuple[str, str]]] = (
        ("spec", "tools"),
        ("inputSchema", "input_schema"),
        ("outputSchema", "output_schema"),
        ("sideEffects", "side_effects"),
    )

    @field_validator("name", "entry")
    @classmethod
    def _is_no_device(cls, given: str | None) -> str | None:
        if given is not None and _RESERVED.match(given):
            raise ValueError(f"{given!r} is the name of a device on Windows")
        return given

    @field_validator("entry")
    @classmethod
    def _stays_in_the_folder(cls, given: str | None) -> str | None:
        if given is not None and not _MODULE.match(given):
            raise ValueError("must be the name of a *.wasm file in the plugin's own folder: letters, digits, . _ -")
        return given

    @field_validator("homepage")
    @classmethod
    def _is_an_address(cls, given: str) -> str:
        if given and not re.match(r"https?://[!-~]+\Z", given):
            raise ValueError("must begin with https:// or http:// and hold plain characters only")
        return given

    @field_validator("capabilities")
    @classmethod
    def _are_capabilities(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for text in given:
            try:
                parse_capability(text)
            except InvalidInputError as exc:
                raise ValueError(f"{exc.message}: {exc.hint}") from exc
        _refuse_twice("capability", given)
        return given

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        simple = self.inputs is not None or self.outputs is not None
        if simple == (self.spec is not None):
            raise ValueError('give either "inputs" and "outputs" of one tool, or "spec" with the tools')
        _refuse_twice("tool", [tool.name.casefold() for tool in self.spec or ()])
        _refuse_twice("input", [field.name for field in self.inputs or ()])
        _refuse_twice("output", [field.name for field in self.outputs or ()])
        return self

    @property
    def is_simple(self) -> bool:
        """Say whether it is the form with `inputs` and `outputs`."""
        return self.spec is None

    @property
    def instance_mode(self) -> Mode:
        """How long an instance lives."""
        return self.mode or (Mode.FRESH if self.is_simple else Mode.PERSISTENT)

    @property
    def tools(self) -> tuple[ToolOf, ...]:
        """The tools, the simple form's one written as the others are."""
        if self.spec is not None:
            return self.spec
        schemas: dict[str, Json] = {"inputSchema": object_schema(self.inputs or ())}
        if self.outputs is not None:
            schemas["outputSchema"] = object_schema(self.outputs)
        return (ToolOf.model_validate({"name": self.name, "description": self.description, **schemas}),)

    def requested(self) -> tuple[Capability, ...]:
        """Return the capabilities it requests, in order."""
        return tuple(parse_capability(text) for text in self.capabilities)


def _refuse_twice(what: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the {what} {name!r} is there twice")


def object_schema(fields: Sequence[FieldOf]) -> dict[str, Json]:
    """Return the JSON Schema of an object with these fields and no other."""
    properties: dict[str, Json] = {}
    for field in fields:
        properties[field.name] = {"type": field.type} | (
            {"description": field.description} if field.description else {}
        )
    return {
        "type": "object",
        "properties": properties,
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
    }


def read_manifest(content: bytes, place: Path) -> Manifest:
    """Return what the bytes of a manifest say.

    Args:
        content: The file's bytes.
        place: Where they are from, for messages.

    Raises:
        PluginError: It is too large, no JSON, or says what cannot be; each fault is named with its place in the file.
    """
    if len(content) > MOST_BYTES:
        raise PluginError(f"{str(place)!r} is larger than {MOST_BYTES} bytes", hint="move data out of the manifest")
    try:
        value = parse(content)
    except BadJsonError as exc:
        raise PluginError(
            f"{str(place)!r} is no JSON: {exc}", hint="docs/reference/manifest.schema.json says what may stand there"
        ) from exc
    try:
        _refuse_both_words(value)
        return Manifest.model_validate(value)
    except ValidationError as exc:
        faults = "; ".join(_fault(one["loc"], one["msg"]) for one in exc.errors(include_input=False)[:8])
        raise PluginError(
            f"{str(place)!r} is not valid: {faults}",
            hint="docs/reference/manifest.schema.json says what may stand there",
        ) from exc
    except ValueError as exc:
        raise PluginError(
            f"{str(place)!r} is not valid: {exc}", hint="docs/reference/manifest.schema.json says what may stand there"
        ) from exc


def _refuse_both_words(value: Json) -> None:
    """Refuse an object that says one thing under two names, for one of them would be passed over."""
    tools = [value]
    if isinstance(value, dict):
        for word in ("spec", "tools"):
            listed = value.get(word)
            tools += listed if isinstance(listed, list) else []
    for one in tools:
        for first, second in Manifest.aliases:
            if isinstance(one, Mapping) and first in one and second in one:
                raise ValueError(f"{first!r} and {second!r} mean the same: give one of them")


def _fault(where: Sequence[int | str], what: str) -> str:
    path = ".".join(str(step)[:64] for step in where)
    text = what.removeprefix("Value error, ")
    return ascii(path)[1:-1] + ": " + text if path else text
