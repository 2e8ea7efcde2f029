"""What ourcli offers over MCP: memory, ingestion, every tool, records and recipes."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from mcp import types

from ourcli.common.errors import NotFoundError
from ourcli.servers.mcp.call import Call
from ourcli.servers.mcp.desk_tools import DeskTools
from ourcli.servers.mcp.memory_tools import MemoryTools
from ourcli.servers.mcp.ports import Facade
from ourcli.servers.mcp.recipe_prompts import RecipePrompts
from ourcli.servers.mcp.records import PREFIX, Records
from ourcli.tools.data import JsonObject


class OurcliOffer:
    """The facade of one project as an `Offer`.

    Args:
        facade: Does the work.
        roots: Folders whose files may be ingested.
    """

    def __init__(self, facade: Facade, roots: Sequence[Path] = ()) -> None:
        self._own = MemoryTools(facade, roots)
        self._desk = DeskTools(facade)
        self._records = Records(facade)
        self._recipes = RecipePrompts(facade)

    async def tools(self) -> Sequence[types.Tool]:
        """Return the server's own tools, then every other one by name."""
        return [*self._own.definitions(), *await self._desk.definitions()]

    async def call(self, name: str, arguments: JsonObject, call: Call) -> types.CallToolResult:
        """Call a tool; its answer comes as data and as the same in text."""
        tools = self._own if name in self._own.names else self._desk
        output = dict(await tools.call(name, arguments, call))
        text = types.TextContent(text=json.dumps(output, ensure_ascii=False))
        return types.CallToolResult(content=[text], structured_content=output)

    async def resources(self) -> Sequence[types.Resource]:
        """Return the newest records."""
        return await self._records.newest()

    async def templates(self) -> Sequence[types.ResourceTemplate]:
        """Return how records are named."""
        return self._records.templates()

    async def read(self, uri: str, call: Call) -> types.ReadResourceResult:  # noqa: ARG002  # an `Offer`
        """Return a record."""
        return await self._records.read(uri)

    async def prompts(self) -> Sequence[types.Prompt]:
        """Return every recipe."""
        return await self._recipes.all()

    async def prompt(self, name: str, arguments: Mapping[str, str], call: Call) -> types.GetPromptResult:  # noqa: ARG002
        """Return a recipe with its parameters filled in."""
        return await self._recipes.get(name, arguments)

    async def complete(self, params: types.CompleteRequestParams) -> Sequence[str]:
        """Return ids of records that begin so; nothing else is completed."""
        if isinstance(params.ref, types.ResourceTemplateReference) and params.ref.uri == f"{PREFIX}{{id}}":
            return await self._records.complete(params.argument.value)
        if isinstance(params.ref, types.PromptReference):
            return ()
        raise NotFoundError("there is nothing to complete of that name")
