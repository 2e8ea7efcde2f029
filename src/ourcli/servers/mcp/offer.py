"""What an MCP server has to offer, whoever provides it; the rest of the server only carries it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from mcp import types

from ourcli.servers.mcp.call import Call
from ourcli.tools.data import JsonObject

ToolAnswer = types.CallToolResult | types.InputRequiredResult
PromptAnswer = types.GetPromptResult | types.InputRequiredResult


class Offer(Protocol):
    """Tools, resources and prompts. What goes wrong is told as a member of the one error tree."""

    async def tools(self) -> Sequence[types.Tool]:
        """Return every tool."""
        ...

    async def call(self, name: str, arguments: JsonObject, call: Call) -> ToolAnswer:
        """Call a tool.

        Raises:
            NotFoundError: There is none of that name.
            OurcliError: It failed; the client sees a result that says so.
        """
        ...

    async def resources(self) -> Sequence[types.Resource]:
        """Return resources to choose from, a bounded number."""
        ...

    async def templates(self) -> Sequence[types.ResourceTemplate]:
        """Return how other resources are named."""
        ...

    async def read(self, uri: str, call: Call) -> types.ReadResourceResult | types.InputRequiredResult:
        """Return what a resource holds.

        Raises:
            NotFoundError: There is none of that name.
        """
        ...

    async def prompts(self) -> Sequence[types.Prompt]:
        """Return every prompt."""
        ...

    async def prompt(self, name: str, arguments: Mapping[str, str], call: Call) -> PromptAnswer:
        """Return a prompt with its arguments filled in.

        Raises:
            NotFoundError: There is none of that name.
            InvalidInputError: An argument is missing.
        """
        ...

    async def complete(self, params: types.CompleteRequestParams) -> Sequence[str]:
        """Return what the beginning of an argument may become, best first."""
        ...
