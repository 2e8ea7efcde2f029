"""A plugin in Python. It reads one JSON-RPC message a line from stdin and writes one answer a line to stdout.

It speaks the words of MCP: tools/list and tools/call, and what an MCP client asks first. To make it yours: change
TOOLS and call_tool, and say the same tools in manifest.json.
"""

import json
import sys

from wit_world import exports

TOOLS = [
    {
        "name": "hello",
        "description": "Greets somebody",
        "inputSchema": {
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
            "additionalProperties": False,
        },
        "outputSchema": {
            "type": "object",
            "properties": {"greeting": {"type": "string"}},
            "required": ["greeting"],
            "additionalProperties": False,
        },
    }
]


def call_tool(arguments):
    """Run the tool and return what it answers; what is raised as ValueError is told to the caller."""
    if not isinstance(arguments.get("name"), str):
        raise ValueError("name is missing")
    return {"greeting": f"Hello, {arguments['name']}!"}


# ---- MCP ----


class FaultError(Exception):
    """An error of the protocol: a number of JSON-RPC and words."""


def text(words):
    """Return a block of text."""
    return [{"type": "text", "text": words}]


def answer(method, params):
    """Return the result of one request."""
    if method == "tools/call":
        if params.get("name") != "hello":
            raise FaultError(-32602, "no such tool")
        try:
            output = call_tool(params.get("arguments", {}))
        except ValueError as wrong:
            return {"resultType": "complete", "isError": True, "content": text(str(wrong))}
        written = json.dumps(output, ensure_ascii=False)
        return {"resultType": "complete", "content": text(written), "structuredContent": output}
    fresh = {"resultType": "complete", "ttlMs": 0, "cacheScope": "public"}
    if method == "tools/list":
        return fresh | {"tools": TOOLS}
    if method == "server/discover":
        return fresh | {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}
    if method == "initialize":
        known = params.get("protocolVersion") == "2025-06-18"
        return {
            "protocolVersion": "2025-06-18" if known else "2025-11-25",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "hello", "version": "1.0.0"},
        }
    if method == "ping":
        return {}
    raise FaultError(-32601, "no such method")


def reply(line):
    """Return the answer to a line, or None when it wants none."""
    try:
        message = json.loads(line)
        if "id" not in message:
            return None  # a notification
    except (ValueError, TypeError):
        return {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "this is no message"}}
    head = {"jsonrpc": "2.0", "id": message["id"]}
    try:
        return head | {"result": answer(message.get("method"), message.get("params") or {})}
    except FaultError as wrong:
        code, words = wrong.args
        return head | {"error": {"code": code, "message": words}}


class Run(exports.Run):
    """The program."""

    def run(self):
        """Answer until stdin ends."""
        for line in sys.stdin.buffer:
            said = reply(line)
            if said is not None:
                sys.stdout.write(json.dumps(said) + "\n")
                sys.stdout.flush()
