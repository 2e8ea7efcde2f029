"""What a tool says of itself."""

from dataclasses import dataclass
from enum import StrEnum

from ourcli.tools.capabilities import Capability
from ourcli.tools.data import JsonObject

DEFAULT_TIMEOUT_S = 10.0


class SideEffects(StrEnum):
    """What a call changes."""

    NONE = "none"
    LOCAL = "local"
    EXTERNAL = "external"


class OriginKind(StrEnum):
    """Where a tool comes from."""

    BUILTIN = "builtin"
    PLUGIN = "plugin"
    MCP = "mcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who stands behind a tool; grants are bound to it.

    Attributes:
        kind: The kind of tool.
        name: Of the plugin or server.
        sha256: Digest over everything a grant must be bound to (a plugin's module and manifest); "" for built-ins.
        place: Where it stands, for people.
    """

    kind: OriginKind
    name: str
    sha256: str = ""
    place: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolExample:
    """A call as it could be.

    Attributes:
        input: What is given.
        output: What comes back, where it is told.
        description: What it shows.
    """

    input: JsonObject
    output: JsonObject | None = None
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """What a tool is called, takes, gives and needs.

    Attributes:
        name: `plugin.tool`; unique in a registry.
        description: What it does. Untrusted words unless the tool is built in.
        origin: Who stands behind it.
        input_schema: JSON Schema (2020-12) of an object.
        output_schema: JSON Schema of the answer, or None when the tool does not say.
        examples: Calls as they could be.
        capabilities: What it requests; it runs only with all of them granted.
        side_effects: What a call changes.
        idempotent: Calling twice does what calling once does.
        timeout_s: After this many seconds it is stopped.
    """

    name: str
    description: str
    origin: Origin
    input_schema: JsonObject
    output_schema: JsonObject | None = None
    examples: tuple[ToolExample, ...] = ()
    capabilities: tuple[Capability, ...] = ()
    side_effects: SideEffects = SideEffects.NONE
    idempotent: bool = False
    timeout_s: float = DEFAULT_TIMEOUT_S
