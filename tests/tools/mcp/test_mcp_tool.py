"""A server's tool as the registry holds it."""

import pytest

from ourcli.tools.backends.mcp.tool import McpTool
from ourcli.tools.data import JsonObject
from ourcli.tools.ports import ToolContext
from ourcli.tools.servers import CALL_S, KnownServer, McpServer, RemoteTool, offered

pytestmark = pytest.mark.anyio

KNOWN = KnownServer(server=McpServer(name="peer", command=("server",)), tools=(RemoteTool(name="add"),))


class NotingCaller:
    """Answer nothing, and keep how long each call may take."""

    def __init__(self) -> None:
        self.seconds: list[float | None] = []

    async def call(self, known: KnownServer, tool: str, arguments: JsonObject, context: ToolContext) -> JsonObject:
        """Note the call."""
        self.seconds.append(context.timeout_s)
        return {}


@pytest.mark.parametrize(("given", "most"), [(None, CALL_S), (1.5, 1.5), (CALL_S * 2, CALL_S)])
async def test_a_caller_can_give_a_call_less_time_and_never_more(given: float | None, most: float) -> None:
    caller = NotingCaller()
    tool = McpTool(
        KNOWN, "add", offered(KNOWN).specs["add"], caller=lambda: caller, changed=lambda _tools: pytest.fail("changed")
    )

    await tool.invoke({}, ToolContext(timeout_s=given))

    assert caller.seconds == [most]
