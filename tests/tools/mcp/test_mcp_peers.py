"""Real MCP peers, well and badly behaved, through ourcli's own client."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ourcli.common.errors import (
    CapabilityDeniedError,
    NetworkOffError,
    ToolCrashedError,
    ToolError,
    ToolOutputError,
    ToolTimeoutError,
)
from ourcli.common.net import Gate
from ourcli.testing.web import FakeDialler, FakeResolver
from ourcli.tools.backends.mcp.host import McpHost
from ourcli.tools.backends.mcp.opening import Opener
from ourcli.tools.ports import ToolContext
from ourcli.tools.servers import ChangedToolsError, KnownServer, McpServer, offered
from tests.promises import promise
from tests.tools.mcp.peers import raw_server, sdk_server, starts

pytestmark = pytest.mark.anyio
PATIENCE_S = 60.0
SHORT = ToolContext(timeout_s=PATIENCE_S)


@asynccontextmanager
async def a_host(tmp_path: Path, **environment: str) -> AsyncIterator[McpHost]:
    given = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C", "SECRET": "s3cret", **environment}
    host = McpHost(Opener(gate=Gate(network=False), tokens=tmp_path / "tokens", environment=given))
    try:
        yield host
    finally:
        await host.aclose()


async def known(host: McpHost, server: McpServer) -> KnownServer:
    tools, revision = await host.look(server, PATIENCE_S)
    return KnownServer(server=server, tools=tools, revision=revision)


def lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@promise("tools.mcp.stdio")
async def test_an_sdk_server_answers_with_structured_content_and_a_bare_environment(tmp_path: Path) -> None:
    async with a_host(tmp_path, GIVEN="given", OTHER="other") as host:
        peer = await known(host, sdk_server(env=("GIVEN",)))
        added = await host.call(peer, "add", {"a": 20, "b": 22}, SHORT)
        seen = await host.call(peer, "environment", {}, SHORT)
        with pytest.raises(ToolError, match="the tool 'fail' failed") as caught:
            await host.call(peer, "fail", {}, SHORT)

    assert peer.revision == "2026-07-28"
    assert [tool.name for tool in peer.tools] == ["add", "environment", "fail"]
    assert added == {"result": 42}
    assert seen["GIVEN"] == "given"
    assert "SECRET" not in seen
    assert "OTHER" not in seen
    assert "\x1b" not in caught.value.message


@promise("tools.mcp.revisions")
@pytest.mark.parametrize("revision", ["2025-06-18", "2025-11-25"])
async def test_servers_of_the_two_revisions_before_are_spoken_to(tmp_path: Path, revision: str) -> None:
    async with a_host(tmp_path) as host:
        peer = await known(host, raw_server(revision, tmp_path))
        answer = await host.call(peer, "go", {}, SHORT)

    assert (peer.revision, answer) == (revision, {"text": "went 1"})


@promise("tools.mcp.stdio")
async def test_a_connection_is_kept_and_its_program_ended_with_the_host(tmp_path: Path) -> None:
    async with a_host(tmp_path) as host:
        peer = await known(host, raw_server("banner", tmp_path))
        await host.call(peer, "go", {}, SHORT)
        again = await host.call(peer, "go", {}, SHORT)
        running = [lives(process) for process in starts(tmp_path)]

    assert again == {"text": "went 2"}
    assert running == [True]
    assert not any(lives(process) for process in starts(tmp_path))


async def test_answers_of_many_kinds_become_one_text(tmp_path: Path) -> None:
    async with a_host(tmp_path) as host:
        answer = await host.call(await known(host, raw_server("many kinds", tmp_path)), "go", {}, SHORT)

    assert answer == {
        "text": "one\n[image: image/png, 4 characters of base64, left out]\n[page: https://example.com/]\ntwo"
    }


@promise("tools.mcp.faults")
@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("ends", ToolError, "the MCP server 'raw'"),
        ("garbage", ToolError, "the MCP server 'raw'"),
        ("no newline", ToolError, "the MCP server 'raw'"),
        ("silent", ToolTimeoutError, "does not answer"),
    ],
)
async def test_a_server_that_cannot_be_spoken_to_is_named_and_left_no_process(
    tmp_path: Path, kind: str, error: type[ToolError], words: str
) -> None:
    async with a_host(tmp_path) as host:
        with pytest.raises(error, match=words) as caught:
            await host.look(raw_server(kind, tmp_path), 3.0)

    assert "--check" in caught.value.hint
    assert not any(lives(process) for process in starts(tmp_path) if (tmp_path / "pids").exists())


@promise("tools.mcp.faults")
async def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    async with a_host(tmp_path) as host:
        with pytest.raises(ToolError, match=r"'/nowhere/server' cannot be started") as caught:
            await host.look(McpServer(name="raw", command=("/nowhere/server",)), PATIENCE_S)

    assert "installed" in caught.value.hint


@promise("tools.mcp.reconnects")
async def test_a_server_that_dies_in_a_call_fails_that_call_only(tmp_path: Path) -> None:
    async with a_host(tmp_path) as host:
        peer = await known(host, raw_server("dies", tmp_path))
        for _ in range(2):
            with pytest.raises(ToolCrashedError, match="went away"):
                await host.call(peer, "go", {}, SHORT)
        answer = await host.call(peer, "go", {}, SHORT)

    assert answer == {"text": "went 1"}
    assert len(starts(tmp_path)) == 3


@promise("tools.mcp.reconnects")
async def test_a_server_that_could_not_be_reached_is_left_alone_for_a_while(tmp_path: Path) -> None:
    async with a_host(tmp_path) as host:
        for _ in range(6):
            with pytest.raises(ToolError):
                await host.look(McpServer(name="gone", command=("/nowhere/server",)), PATIENCE_S)
        with pytest.raises(ToolError, match=r"could not be reached \d times; it is tried again in"):
            await host.look(McpServer(name="gone", command=("/nowhere/server",)), PATIENCE_S)


@promise("tools.mcp.faults")
async def test_a_server_that_hangs_in_a_call_is_stopped(tmp_path: Path) -> None:
    async with a_host(tmp_path) as host:
        peer = await known(host, raw_server("hangs", tmp_path))
        with pytest.raises(ToolTimeoutError, match="did not answer within 1 s"):
            await host.call(peer, "go", {}, ToolContext(timeout_s=1.0))

    assert not any(lives(process) for process in starts(tmp_path))


@promise("tools.mcp.faults")
@pytest.mark.parametrize("kind", ["floods", "huge"])
async def test_a_flood_ends_in_an_answer_or_an_error(tmp_path: Path, kind: str) -> None:
    async with a_host(tmp_path) as host:
        peer = await known(host, raw_server(kind, tmp_path))
        try:
            answer = await host.call(peer, "go", {}, SHORT)
        except (ToolCrashedError, ToolOutputError) as exc:
            answer = {"text": exc.kind}

    assert answer["text"] == {"floods": "went 1", "huge": "tool_crashed"}[kind]


@promise("tools.mcp.pinned")
async def test_a_server_that_says_something_else_at_the_next_start_is_not_called(tmp_path: Path) -> None:
    server = raw_server("other words", tmp_path)
    async with a_host(tmp_path) as host:
        first = await known(host, server)
    async with a_host(tmp_path) as host:
        with pytest.raises(ChangedToolsError, match="lists other tools than those you know") as caught:
            await host.call(first, "go", {}, SHORT)

    after = KnownServer(server=server, tools=caught.value.tools, before=first.tools)
    assert isinstance(caught.value, CapabilityDeniedError)
    assert (caught.value.exit_code, caught.value.capability) == (4, "exec")
    assert after.origin.sha256 != first.origin.sha256
    assert after.differences() == ("- go: Goes", "+ go: Goes  and sends your files to example.com")


@promise("tools.mcp.pinned")
async def test_a_server_that_tells_of_other_tools_while_connected_is_looked_at_before_the_next_call(
    tmp_path: Path,
) -> None:
    async with a_host(tmp_path) as host:
        peer = await known(host, raw_server("changes", tmp_path))
        await host.call(peer, "go", {}, SHORT)
        with pytest.raises(ChangedToolsError) as caught:
            await host.call(peer, "go", {}, SHORT)

    assert [tool.name for tool in caught.value.tools] == ["go", "more"]


@promise("tools.mcp.untrusted")
async def test_tools_with_odd_or_clashing_names_are_left_out_and_named(tmp_path: Path) -> None:
    async with a_host(tmp_path) as host:
        found = offered(await known(host, raw_server("twice", tmp_path)))

    assert list(found.specs) == ["fine"]
    assert len(found.problems) == 2
    assert "'go' of the MCP server 'raw' is listed twice; neither is used" in found.problems[0]
    assert "has a name that is not taken" in found.problems[1]
    assert "\u202e" not in "".join(found.problems)


@promise("tools.mcp.http")
@pytest.mark.parametrize(
    ("url", "network", "dialled"),
    [
        ("http://mcp.test/mcp", False, []),
        ("http://mcp.test/mcp", True, [("10.0.0.9", 80)]),
    ],
)
async def test_a_server_elsewhere_needs_the_network_and_may_be_private_when_it_was_named(
    tmp_path: Path, url: str, network: bool, dialled: list[tuple[str, int]]
) -> None:
    dialler = FakeDialler(closed=["10.0.0.9"])
    opener = Opener(
        gate=Gate(network=network),
        tokens=tmp_path,
        resolver=FakeResolver({"mcp.test": [["10.0.0.9"]]}),
        dialler=dialler,
    )
    host = McpHost(opener)
    try:
        with pytest.raises(ToolError if network else NetworkOffError):
            await host.look(McpServer(name="far", url=url), PATIENCE_S)
    finally:
        await host.aclose()

    assert dialler.dialled == dialled
