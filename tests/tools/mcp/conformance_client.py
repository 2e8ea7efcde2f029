"""What the conformance suite runs as a client: it speaks with the suite's server through ourcli's own client.

    python -m tests.tools.mcp.conformance_client URL

Each tool that the server lists is called once, with the arguments that the suite gives or with plain ones that fit.
"""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import anyio
import httpx2

from ourcli.common.errors import OurcliError
from ourcli.common.net import Gate
from ourcli.tools.backends.mcp.host import McpHost
from ourcli.tools.backends.mcp.opening import Opener
from ourcli.tools.data import Json, JsonObject
from ourcli.tools.ports import ToolContext
from ourcli.tools.servers import KnownServer, McpServer, RemoteTool

CALL_S = 15.0
PLAIN: Mapping[str, Json] = {"integer": 5, "number": 3, "string": "text", "boolean": True, "array": [], "object": {}}
DOCUMENT = "https://conformance-test.local/client-metadata.json"
"""Where the suite looks for the description of a client that does not register."""


class Headless:
    """Follows the page of a login as a browser does whose user agrees to everything."""

    async def show(self, url: str) -> bool:
        """Follow redirects until the login comes back."""
        async with httpx2.AsyncClient(trust_env=False, follow_redirects=True) as client:
            await client.get(url)
        return True


def the_server(url: str, context: Mapping[str, Json]) -> McpServer:
    """Return the suite's server, with the client that it says was agreed beforehand."""
    agreed = str(context.get("client_id") or "")
    if context.get("client_secret"):
        os.environ["CONFORMANCE_SECRET"] = str(context["client_secret"])
    secret_env = "CONFORMANCE_SECRET" if context.get("client_secret") else ""
    return McpServer(name="suite", url=url, client_id=agreed or DOCUMENT, secret_env=secret_env)


def arguments_for(tool: RemoteTool, context: Mapping[str, Json]) -> list[JsonObject]:
    """Return the calls to make of a tool: those that the suite gives, else one with plain values."""
    given = context.get("toolCalls")
    if isinstance(given, list):
        calls = [cast("Mapping[str, Json]", call) for call in given]
        return [cast("JsonObject", call.get("arguments") or {}) for call in calls if call.get("name") == tool.name]
    properties = cast("Mapping[str, Mapping[str, Json]]", tool.input_schema.get("properties") or {})
    return [{name: PLAIN.get(str(schema.get("type")), "text") for name, schema in properties.items()}]


async def converse(url: str, context: Mapping[str, Json]) -> bool:
    """List the tools and call each; return whether every call was answered."""
    server, fine = the_server(url, context), True
    with tempfile.TemporaryDirectory() as folder:
        host = McpHost(Opener(gate=Gate(network=False), tokens=Path(folder), browser=Headless()))
        try:
            tools, revision = await host.look(server, CALL_S)
            known = KnownServer(server=server, tools=tools, revision=revision)
            for tool in tools:
                for arguments in arguments_for(tool, context):
                    fine &= await called(host, known, tool.name, arguments)
        finally:
            await host.aclose()
    return fine


async def called(host: McpHost, known: KnownServer, name: str, arguments: JsonObject) -> bool:
    """Call a tool; return whether it was answered."""
    try:
        await host.call(known, name, arguments, ToolContext(timeout_s=CALL_S))
    except OurcliError as exc:
        sys.stderr.write(f"{name}: {exc.message}\n")
        return False
    return True


def main() -> int:
    """Run one scenario."""
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")
    try:
        return 0 if anyio.run(converse, sys.argv[-1], context) else 1
    except OurcliError as exc:
        sys.stderr.write(f"{exc.message}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
