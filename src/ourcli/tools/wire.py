"""How a call is put to a plugin and how its answer is read: the simple form and MCP's vocabulary."""

from dataclasses import dataclass
from typing import Protocol

from ourcli.common.errors import ToolError, ToolOutputError
from ourcli.tools.data import Json, JsonObject, as_object
from ourcli.tools.logtext import harmless
from ourcli.tools.protocol import Answer, Failure, Id, request

SIMPLE_ID = 1
"""The id of every question in the simple form; such a guest may have it written into it."""


class Wire(Protocol):
    """One tool's way of being called."""

    def question(self, identifier: int, input: JsonObject) -> tuple[Id, bytes]:  # noqa: A002
        """Return the id that the answer will carry, and the request as a line."""
        ...

    def output(self, answer: Answer | Failure) -> dict[str, Json]:
        """Return what the tool answered.

        Raises:
            ToolError: It says that it failed.
            ToolOutputError: The answer has no form that is known.
        """
        ...


def _raise_failure(tool: str, answer: Answer | Failure) -> Answer:
    if isinstance(answer, Failure):
        raise ToolError(f"the tool {tool!r} failed: {harmless(answer.message)} (code {answer.code})")
    return answer


@dataclass(frozen=True, slots=True)
class SimpleWire:
    """One request whose method is the tool's name and whose params are the inputs; the result holds the outputs."""

    tool: str

    def question(self, identifier: int, input: JsonObject) -> tuple[Id, bytes]:  # noqa: A002, ARG002
        """Return the request; its id is always the same."""
        return SIMPLE_ID, request(SIMPLE_ID, self.tool, input)

    def output(self, answer: Answer | Failure) -> dict[str, Json]:
        """Return the outputs."""
        return as_object(_raise_failure(self.tool, answer).result, f"the result of the tool {self.tool!r}")


@dataclass(frozen=True, slots=True)
class McpWire:
    """MCP's `tools/call`: the answer is `structuredContent`, else the texts of `content`."""

    tool: str

    def question(self, identifier: int, input: JsonObject) -> tuple[Id, bytes]:  # noqa: A002
        """Return the request."""
        return identifier, request(identifier, "tools/call", {"name": self.tool, "arguments": dict(input)})

    def output(self, answer: Answer | Failure) -> dict[str, Json]:
        """Return the structured answer, or `{"text": ...}` when there is none."""
        result = as_object(_raise_failure(self.tool, answer).result, f"the result of the tool {self.tool!r}")
        if result.get("isError") is True:
            raise ToolError(f"the tool {self.tool!r} failed: {harmless(_texts(result) or 'it does not say why')}")
        if "structuredContent" in result:
            return as_object(result["structuredContent"], f"the structured content of the tool {self.tool!r}")
        if "content" not in result:
            raise ToolOutputError(f"the result of the tool {self.tool!r} has neither structuredContent nor content")
        return {"text": _texts(result)}


def _texts(result: JsonObject) -> str:
    content = result.get("content")
    blocks = content if isinstance(content, list) else []
    texts = [block.get("text") for block in blocks if isinstance(block, dict) and block.get("type") == "text"]
    return "\n".join(text for text in texts if isinstance(text, str))


def tool_names(answer: Answer | Failure) -> tuple[str, ...]:
    """Return the names in an answer to `tools/list`.

    Raises:
        ToolError: The plugin does not list its tools.
    """
    listed = as_object(_raise_failure("tools/list", answer).result, "the list of tools").get("tools")
    if not isinstance(listed, list):
        raise ToolOutputError("the list of tools has no tools")
    names = [one.get("name") if isinstance(one, dict) else None for one in listed]
    return tuple(name if isinstance(name, str) else "?" for name in names)
