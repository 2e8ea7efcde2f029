"""What the room needs of the outside, and what it gives: every seam of tools in one file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ourcli.common.ids import RunId
from ourcli.tools.capabilities import Capability
from ourcli.tools.data import JsonObject
from ourcli.tools.spec import Origin, ToolSpec


def unheard(_line: str) -> None:
    """Drop a line of a tool's log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """Under which conditions a tool is called.

    Attributes:
        run_id: The run that calls, or None outside any run.
        caller: Calls with one caller are run one after the other, in order; "" stands for no order.
        timeout_s: Seconds the call may take, in place of the tool's own limit when that is longer.
        granted: The rights it may use; the runner fills it in.
        log: Takes each line that the tool writes to its log, made harmless.
    """

    run_id: RunId | None = None
    caller: str = ""
    timeout_s: float | None = None
    granted: frozenset[Capability] = frozenset()
    log: Callable[[str], None] = field(default=unheard, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a tool answered: data from elsewhere, never an instruction.

    Attributes:
        tool: The tool's full name.
        output: The answer; it fits the tool's schema.
        origin: Who answered.
        milliseconds: How long it took.
        trust: Always `tool`.
    """

    tool: str
    output: JsonObject
    origin: Origin
    milliseconds: float
    trust: Literal["tool"] = "tool"


class Tool(Protocol):
    """Something that can be called: built in, a plugin's, an MCP server's."""

    def spec(self) -> ToolSpec:
        """Return what it is; the same at every call."""
        ...

    async def invoke(self, input: JsonObject, context: ToolContext) -> JsonObject:  # noqa: A002  # the design's word
        """Run it once.

        Args:
            input: Fits the input schema; the runner saw to that.
            context: Who calls, with which rights, and for how long.

        Returns:
            The answer; the runner checks it against the output schema.

        Raises:
            ToolError: It failed, was stopped, or answered what it must not.
        """
        ...


class Grants(Protocol):
    """Who was granted what."""

    async def granted(self, origin: Origin) -> frozenset[Capability]:
        """Return the rights that hold now for exactly this origin, its digest included."""
        ...


class NoGrants:
    """Grant nothing to anybody."""

    async def granted(self, origin: Origin) -> frozenset[Capability]:  # noqa: ARG002
        """Return no right."""
        return frozenset()
