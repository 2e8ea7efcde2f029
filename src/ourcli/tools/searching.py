"""`tools.search`: how a model, or a person, asks for more tools than were offered."""

from collections.abc import Sequence
from typing import Final

from ourcli.common.errors import ModelError
from ourcli.tools.choosing import Choice, ToolIndex
from ourcli.tools.data import Json, JsonObject
from ourcli.tools.ports import SpecEmbedder, Tool, ToolContext
from ourcli.tools.registry import Registry
from ourcli.tools.spec import Origin, OriginKind, ToolExample, ToolSpec

MOST: Final = 20
_USUAL: Final = 5
_FOUND: Final[dict[str, Json]] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "description": {"type": "string"},
        "origin": {"type": "string"},
        "side_effects": {"type": "string"},
        "input_schema": {"type": "object"},
        "score": {"type": "number"},
    },
}
SPEC: Final = ToolSpec(
    name="tools.search",
    description="Find tools by what they do, the best first, with what each takes.",
    origin=Origin(kind=OriginKind.BUILTIN, name="tools", place="ourcli"),
    input_schema={
        "type": "object",
        "properties": {
            "query": {"type": "string", "minLength": 1, "maxLength": 2_000, "description": "What is to be done"},
            "limit": {"type": "integer", "minimum": 1, "maximum": MOST, "default": _USUAL, "description": "How many"},
        },
        "required": ["query"],
        "additionalProperties": False,
    },
    output_schema={
        "type": "object",
        "properties": {"tools": {"type": "array", "items": _FOUND}},
        "required": ["tools"],
    },
    examples=(ToolExample(input={"query": "count the words of a file"}),),
    idempotent=True,
)


class ToolSearch:
    """Finds tools of a registry; it is told which when all tools are known, itself among them.

    Args:
        embedder: Gives queries and documents their vectors; where its model is missing, words alone decide.
    """

    def __init__(self, embedder: SpecEmbedder) -> None:
        self._embedder = embedder
        self._registry = Registry()
        self._index: ToolIndex | None = None

    def over(self, registry: Registry) -> None:
        """Search these tools from now on."""
        self._registry, self._index = registry, None

    def spec(self) -> ToolSpec:
        """Return what it is."""
        return SPEC

    async def invoke(self, input: JsonObject, context: ToolContext) -> JsonObject:  # noqa: A002, ARG002  # the design's word
        """Return the tools that fit a query best; what they say of themselves is data of their origins."""
        limit = input.get("limit", _USUAL)
        ranked = await self._ranked(str(input["query"]))
        return {"tools": [_told(one) for one in ranked[: limit if isinstance(limit, int) else _USUAL]]}

    async def _ranked(self, query: str) -> Sequence[Choice]:
        specs = [tool.spec() for tool in self._registry if tool.spec().name != SPEC.name]
        try:
            if self._index is None:
                self._index = await ToolIndex.build(specs, self._embedder)
            return self._index.rank(query, await self._embedder.embed_query(query))
        except ModelError:
            return ToolIndex(specs, None).rank(query)


class GivenTools:
    """A source of tools that are there already.

    Args:
        tools: The tools.
    """

    def __init__(self, *tools: Tool) -> None:
        self._tools = tools

    async def tools(self) -> Sequence[Tool]:
        """Return them."""
        return self._tools

    async def problems(self) -> Sequence[str]:
        """Return none."""
        return ()


def _told(one: Choice) -> dict[str, Json]:
    spec = one.spec
    return {
        "name": spec.name,
        "description": spec.description,
        "origin": str(spec.origin),
        "side_effects": str(spec.side_effects),
        "input_schema": dict(spec.input_schema),
        "score": round(one.score, 3),
    }
