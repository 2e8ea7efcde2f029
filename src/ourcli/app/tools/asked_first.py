"""A tool that a person has to agree to before it runs at all."""

from dataclasses import replace

from ourcli.tools.capabilities import Capability, CapabilityKind
from ourcli.tools.data import JsonObject
from ourcli.tools.ports import Tool, ToolContext
from ourcli.tools.spec import ToolSpec

USE = Capability(CapabilityKind.USE)


class AskedFirst:
    """Request the right to be used besides what the tool requests itself.

    Args:
        tool: The tool.
    """

    def __init__(self, tool: Tool) -> None:
        self._tool = tool
        spec = tool.spec()
        self._spec = replace(spec, capabilities=(USE, *spec.capabilities))

    def spec(self) -> ToolSpec:
        """Return what it is."""
        return self._spec

    async def invoke(self, input: JsonObject, context: ToolContext) -> JsonObject:  # noqa: A002
        """Run it once."""
        return await self._tool.invoke(input, context)
