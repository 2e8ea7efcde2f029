"""What servers, plans and `ask` need to call tools; `ourcli.tools.runner.ToolRunner` is it, tests use a fake."""

from typing import Protocol

from ourcli.tools.data import JsonObject
from ourcli.tools.ports import ToolContext, ToolResult
from ourcli.tools.registry import Registry


class ToolCalls(Protocol):
    """The registry over all sources, and the one way to call a tool of it."""

    @property
    def registry(self) -> Registry:
        """Every tool by its full name."""
        ...

    async def call(self, name: str, input: JsonObject, context: ToolContext) -> ToolResult:  # noqa: A002
        """Call a tool once: rights, input, the tool, its answer.

        Raises:
            NotFoundError: There is no such tool.
            CapabilityDeniedError: It lacks a right; nothing was run.
            ToolInputError: The input does not fit; it did not run.
            ToolError: It failed, was stopped, or answered what it must not.
        """
        ...
