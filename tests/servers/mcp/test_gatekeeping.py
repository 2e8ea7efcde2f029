"""Who may talk to the HTTP server."""

import json
from typing import Any

import pytest

from ourcli.servers.mcp.gatekeeping import Gatekeeper, Message, Receive, Scope, Send
from tests.promises import promise

pytestmark = pytest.mark.anyio
TOKEN = "t" * 43
GOOD = {"host": "127.0.0.1:8765", "authorization": f"Bearer {TOKEN}"}


async def knock(headers: list[tuple[str, str]], path: str = "/mcp") -> tuple[int, Any]:
    """Return the status and body with which a request is refused; 200 when it was let through."""
    sent: list[Message] = []

    async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def receive() -> Message:
        raise AssertionError("the body was read")

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "headers": [(name.encode(), value.encode()) for name, value in headers]}
    await Gatekeeper(application, token=TOKEN, port=8765)(scope, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


@promise("servers.mcp.http.token")
@pytest.mark.parametrize(
    "given",
    ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer ünknown"],
)
async def test_without_the_token_nothing_is_answered(given: str) -> None:
    headers = {**GOOD, "authorization": given} if given else {"host": GOOD["host"]}

    status, body = await knock(list(headers.items()))

    assert (status, body["error"]["message"]) == (401, "a bearer token is needed")


@promise("servers.mcp.http.token")
async def test_two_tokens_are_no_token() -> None:
    twice = [*GOOD.items(), ("authorization", f"Bearer {TOKEN}")]

    assert (await knock(twice))[0] == 401


@promise("servers.mcp.http.rebinding")
@pytest.mark.parametrize(
    "host", ["evil.example:8765", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8765.evil.example", "localhost:8765@evil", ""]
)
async def test_a_foreign_host_is_refused_even_with_the_token(host: str) -> None:
    assert (await knock(list({**GOOD, "host": host}.items())))[0] == 403


@promise("servers.mcp.http.rebinding")
async def test_no_host_and_two_hosts_are_refused() -> None:
    token = ("authorization", GOOD["authorization"])

    assert (await knock([token]))[0] == 403
    assert (await knock([token, ("host", "127.0.0.1:8765"), ("host", "127.0.0.1:8765")]))[0] == 403


@promise("servers.mcp.http.rebinding")
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:81", "https://127.0.0.1:8765", ""]
)
async def test_a_foreign_origin_is_refused_even_with_the_token(origin: str) -> None:
    assert (await knock([*GOOD.items(), ("origin", origin)]))[0] == 403


@promise("servers.mcp.http.rebinding")
@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "LocalHost:8765", "[::1]:8765"])
async def test_this_machine_s_own_names_are_served(host: str) -> None:
    headers = [*{**GOOD, "host": host}.items(), ("origin", f"http://{host}")]

    assert (await knock(headers))[0] == 200


async def test_there_is_one_path_only() -> None:
    assert (await knock(list(GOOD.items()), "/"))[0] == 404
