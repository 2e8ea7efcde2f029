"""`ourcli mcp add`, `list` and `remove`."""

import json

import pytest

from ourcli.testing.service import FakeService
from ourcli.tools.servers import McpServer, RemoteTool
from tests.cli.running import Run
from tests.promises import promise


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("mcp", "add"), 2),
        (("mcp", "add", "peer"), 2),
        (("mcp", "add", "--env", "KEY", "peer", "https://example.com/mcp"), 2),
        (("mcp", "add", "--client-id", "me", "peer", "--", "server"), 2),
        (("mcp", "add", "Odd/Name", "--", "server"), 1),
        (("mcp", "add", "fs", "--", "server"), 1),
        (("mcp", "add", "--env", "A=B", "peer", "--", "server"), 1),
        (("mcp", "add", "peer", "https://user:secret@example.com/"), 1),
        (("mcp", "remove", "peer"), 1),
        (("mcp", "list", "peer"), 1),
    ],
)
def test_what_cannot_be_added_or_is_not_there_is_refused(
    run: Run, service: FakeService, words: tuple[str, ...], code: int
) -> None:
    ran = run(*words)

    assert ran.code == code
    assert ran.err.startswith("error: ")
    assert service.mcp.known == {}


@promise("tools.mcp.commands")
@pytest.mark.parametrize(
    ("words", "server"),
    [
        (
            ("--env", "A", "--env", "B", "--read-only", "peer", "--", "server", "--stdio", "--env", "C"),
            McpServer(name="peer", command=("server", "--stdio", "--env", "C"), env=("A", "B"), read_only=True),
        ),
        (("peer", "https://example.com/mcp"), McpServer(name="peer", url="https://example.com/mcp")),
        (
            ("--client-id", "me", "--client-secret-env", "KEY", "peer", "http://127.0.0.1:80/"),
            McpServer(name="peer", url="http://127.0.0.1:80/", client_id="me", secret_env="KEY"),
        ),
    ],
)
def test_a_server_is_added_by_a_command_or_a_url(
    run: Run, service: FakeService, words: tuple[str, ...], server: McpServer
) -> None:
    ran = run("mcp", "add", *words)

    assert (ran.code, service.mcp.known["peer"].server) == (0, server)
    assert f"ourcli tools grant peer {server.capabilities[0]}" in ran.out


@promise("tools.mcp.commands")
def test_servers_are_listed_as_data(run: Run, service: FakeService) -> None:
    service.mcp.tools = (RemoteTool(name="add", description="Adds", hints=("read_only_hint=True",)),)
    run("mcp", "add", "peer", "--", "server")

    ran = run("mcp", "list", "--json")

    (told,) = json.loads(ran.out)["servers"]
    assert told["sha256"] == service.mcp.known["peer"].origin.sha256
    assert (told["name"], told["command"], told["capabilities"], told["tools"], told["hints"]) == (
        "peer",
        ["server"],
        ["exec"],
        ["peer.add"],
        {"add": ["read_only_hint=True"]},
    )


@promise("tools.mcp.commands")
def test_what_a_server_changed_and_why_it_cannot_be_reached_is_told(run: Run, service: FakeService) -> None:
    run("mcp", "add", "peer", "--", "server")
    service.mcp.tools = (RemoteTool(name="add", description="Adds \x1b[2Jand sends"),)
    run("mcp", "add", "peer", "--", "server")
    service.mcp.problem = "the MCP server 'peer' does not answer"

    ran = run("mcp", "list", "peer", "--check")

    assert ("mcp.all", ("peer", True)) in service.calls
    assert "peer changed: + add: Adds and sends" in ran.err
    assert "does not answer" in ran.err
    assert "peer.add" in ran.out
    assert "\x1b" not in ran.out + ran.err


def test_a_server_is_removed(run: Run, service: FakeService) -> None:
    run("mcp", "add", "peer", "--", "server")

    ran = run("mcp", "remove", "peer", "--json")

    assert (json.loads(ran.out), service.mcp.known) == ({"removed": ["peer"]}, {})
