"""What servers say, as plain values: their tools, and the answers of calls."""

from typing import Final, cast

import mcp_types

from ourcli.common.errors import ToolError, ToolOutputError
from ourcli.tools.data import Json, JsonObject
from ourcli.tools.logtext import harmless
from ourcli.tools.servers import RemoteTool

MOST_ANSWER: Final = 4 * 1024 * 1024
_HINTS: Final = ("read_only_hint", "destructive_hint", "idempotent_hint", "open_world_hint")


def remote_tool(tool: mcp_types.Tool) -> RemoteTool:
    """Return a tool as its server describes it."""
    claims = tool.annotations
    hints = [f"{hint}={getattr(claims, hint)}" for hint in _HINTS if claims and getattr(claims, hint) is not None]
    return RemoteTool(
        name=tool.name,
        description=tool.description or tool.title or "",
        input_schema=cast("JsonObject", tool.input_schema),
        output_schema=cast("JsonObject | None", tool.output_schema),
        hints=tuple(hints),
    )


def output_of(result: mcp_types.CallToolResult, tool: str) -> JsonObject:
    """Return the answer of a call: its structured content, or `{"text": ...}`.

    Raises:
        ToolError: The tool says that it failed.
        ToolOutputError: The answer is too large.
    """
    text = "\n".join(_text(block) for block in result.content)
    if len(text) > MOST_ANSWER:
        raise ToolOutputError(f"the answer of the tool {tool!r} is larger than {MOST_ANSWER} characters")
    if result.is_error:
        raise ToolError(f"the tool {tool!r} failed: {harmless(' '.join(text.split())) or 'it does not say why'}")
    structured = cast("Json", result.structured_content)
    return structured if isinstance(structured, dict) else {"text": text}


def _text(block: mcp_types.ContentBlock) -> str:
    if isinstance(block, mcp_types.TextContent):
        return block.text
    if isinstance(block, mcp_types.EmbeddedResource):
        held = block.resource
        return held.text if isinstance(held, mcp_types.TextResourceContents) else f"[{held.uri}: bytes, left out]"
    if isinstance(block, mcp_types.ResourceLink):
        return f"[{block.name}: {block.uri}]"
    return f"[{block.type}: {block.mime_type}, {len(block.data)} characters of base64, left out]"
