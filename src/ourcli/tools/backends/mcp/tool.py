"""A server's tool as the registry holds it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from ourcli.common.errors import ToolOutputError
from ourcli.tools.data import JsonObject
from ourcli.tools.ports import ToolContext
from ourcli.tools.servers import ChangedToolsError, KnownServer, RemoteTool
from ourcli.tools.spec import ToolSpec


class Caller(Protocol):
    """What speaks with servers; `ourcli.tools.backends.mcp.host.McpHost` is it."""

    async def call(self, known: KnownServer, tool: str, arguments: JsonObject, context: ToolContext) -> JsonObject:
        """Call a tool once."""
        ...


class McpTool:
    """Calls a tool of a server, as long as the server still says what it said when it was added.

    Args:
        known: The server.
        name: What it calls the tool.
        spec: What the tool is here.
        caller: Returns what speaks with servers, made when the first tool is called.
        changed: Told what the server lists now when that is something else.
    """

    def __init__(
        self,
        known: KnownServer,
        name: str,
        spec: ToolSpec,
        *,
        caller: Callable[[], Caller],
        changed: Callable[[tuple[RemoteTool, ...]], None],
    ) -> None:
        self._known, self._name, self._spec = known, name, spec
        self._caller, self._changed = caller, changed

    def spec(self) -> ToolSpec:
        """Return what it is."""
        return self._spec

    async def invoke(self, input: JsonObject, context: ToolContext) -> JsonObject:  # noqa: A002
        """Call it once; see `ourcli.tools.ports.Tool`.

        Raises:
            ChangedToolsError: The server lists other tools now; what it lists is kept, so that a grant is asked again.
        """
        most_s = self._spec.timeout_s
        seconds = most_s if context.timeout_s is None else min(most_s, context.timeout_s)
        try:
            output = await self._caller().call(self._known, self._name, input, replace(context, timeout_s=seconds))
        except ChangedToolsError as exc:
            self._changed(exc.tools)
            raise
        if self._spec.output_schema is not None and output.keys() == {"text"}:
            required = self._spec.output_schema.get("required")
            if isinstance(required, list) and "text" not in required:
                raise ToolOutputError(f"the tool {self._spec.name!r} promised a structured answer and gave only text")
        return output
