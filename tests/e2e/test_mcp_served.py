"""`ourcli mcp serve` as a real process, talked to by the SDK's own client and by clients that misbehave."""

import json
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from ourcli.common.errors import UsageError
from ourcli.servers.mcp.http import listening_place
from tests.promises import promise
from tests.support.guests import Workshop, full_manifest
from tests.support.process import CommandLine
from tools.plugins import CompilerMissingError, build

pytestmark = pytest.mark.anyio
BEHAVE = Path(__file__).parents[1] / "tools" / "guests" / "behave.c"
WAIT_S = 60
"""Only bounds a failure."""
ASK = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of built guests."""
    folder = tmp_path_factory.mktemp("modules")
    try:
        build("hello-c", folder)
    except CompilerMissingError as exc:
        pytest.skip(str(exc))
    return folder


@pytest.fixture
def served(ourcli: CommandLine, modules: Path, home: Path) -> CommandLine:
    """Return the command line, with the sample and a guest that misbehaves installed in its home."""
    (home / "plugins").mkdir(parents=True)
    (home / "plugins" / "hello").symlink_to(next(modules.glob("hello*/manifest.json")).parent)
    Workshop(modules).plugin(home / "plugins" / "behave", BEHAVE, full_manifest("behave", timeout_ms=60_000))
    return ourcli


def over_stdio(line: CommandLine, era: str = "2026-07-28") -> Client:
    """Return a client that starts the server."""
    command, *arguments = [str(word) for word in line.words("mcp", "serve")]
    server = StdioServerParameters(command=command, args=arguments, env=line.variables(), cwd=line.folder)
    return Client(stdio_client(server), mode=era)


@dataclass(frozen=True, slots=True)
class Listening:
    """A server on a port."""

    url: str
    token: str
    process: "subprocess.Popen[str]"

    @asynccontextmanager
    async def client(self, era: str = "2026-07-28") -> AsyncIterator[Client]:
        """Give a client that knows the token."""
        headers = {"authorization": f"Bearer {self.token}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=WAIT_S) as http,
            Client(streamable_http_client(self.url, http_client=http), mode=era) as client,
        ):
            yield client


@contextmanager
def listening(line: CommandLine) -> Iterator[Listening]:
    """Run a server on a free port."""
    with line.start("mcp", "serve", "--http", "0") as process:
        try:
            assert process.stderr is not None
            url = process.stderr.readline().strip().removeprefix("MCP server on ")
            token = Path(process.stderr.readline().strip().removeprefix("bearer token in ")).read_text().strip()
            yield Listening(url, token, process)
        finally:
            process.terminate()
            process.communicate(timeout=WAIT_S)


def workers(process: psutil.Process) -> list[psutil.Process]:
    """Return the processes that a server started."""
    return list(process.children(recursive=True))


async def until_busy(process: psutil.Process) -> list[psutil.Process]:
    """Wait until a worker runs; return all of them."""
    with anyio.fail_after(WAIT_S):
        while not (found := workers(process)):
            await anyio.lowlevel.checkpoint()
    return found


def gone(processes: list[psutil.Process], within_s: float = WAIT_S) -> bool:
    """Say whether all processes end in time."""
    return not list(psutil.wait_procs(processes, timeout=within_s)[1])


async def remembers(client: Client) -> str:
    """Have the memory of a client's server prove itself; return the id of what was added."""
    added = await client.call_tool("memory_add", {"text": "The heron port is 8421, key AKIAIOSFODNN7EXAMPLE"})
    identifier = str((added.structured_content or {})["ids"][0])
    found = await client.call_tool("memory_search", {"query": "which port has the heron?"})
    explained = await client.call_tool("memory_why", {"id": identifier})
    record = (await client.read_resource(f"ourcli://record/{identifier}")).contents[0]

    hits = (found.structured_content or {})["hits"]
    assert "8421" in hits[0]["text"]
    assert "AKIA" not in json.dumps(hits)
    assert hits[0]["trust"] == "tool"
    assert (explained.structured_content or {})["record"]["id"] == identifier
    assert "8421" in str(record)
    return identifier


@promise("servers.mcp.client.real")
@promise("servers.mcp.memory.round-trip")
async def test_an_independent_client_remembers_ingests_and_calls_a_plugin(served: CommandLine, folder: Path) -> None:
    (folder / "notes.md").write_text("# Ports\n\nThe stork listens on port 9312.\n")
    done: list[float] = []

    async def told(progress: float, total: float | None, message: str | None) -> None:
        done.append(progress)

    async with over_stdio(served) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        greeted = await client.call_tool("hello.hello", {"name": "Ada"})
        await remembers(client)
        report = await client.call_tool("ingest", {"paths": ["notes.md"]}, progress_callback=told)

    assert {"memory_search", "memory_add", "memory_why", "ingest", "hello.hello"} <= set(names)
    assert greeted.structured_content == {"greeting": "Hello, Ada!"}
    assert (report.structured_content or {})["files"] == 1
    assert done == sorted(done)
    assert "9312" in served.run("memory", "search", "stork port", "--json").document["hits"][0]["text"]


@promise("servers.mcp.client.real")
@promise("servers.mcp.client.several")
async def test_two_clients_at_once_are_both_answered(served: CommandLine) -> None:
    answers: list[Any] = []

    async def ask(server: Listening, name: str, era: str) -> None:
        async with server.client(era) as client:
            for number in range(5):
                result = await client.call_tool("hello.hello", {"name": f"{name}{number}"})
                answers.append((result.structured_content or {})["greeting"])
            await remembers(client)

    with listening(served) as server:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, server, "Ada", "2026-07-28")
            tasks.start_soon(ask, server, "Bob", "legacy")

    assert sorted(answers) == sorted(f"Hello, {name}{number}!" for name in ("Ada", "Bob") for number in range(5))


@promise("servers.mcp.cancelled")
async def test_a_cancelled_call_over_http_ends_its_worker(served: CommandLine) -> None:
    with listening(served) as server:
        for era in ("2026-07-28", "legacy"):
            async with server.client(era) as client:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(client.call_tool, "behave.do", {"do": "sleep"})
                    found = await until_busy(psutil.Process(server.process.pid))
                    tasks.cancel_scope.cancel()
                assert await anyio.to_thread.run_sync(gone, found)
        async with server.client() as client:
            again = await client.call_tool("hello.hello", {"name": "Ada"})

    assert again.structured_content == {"greeting": "Hello, Ada!"}


def sent(process: "subprocess.Popen[str]", *messages: object) -> None:
    """Write messages, or plain words, a line each."""
    assert process.stdin is not None
    for message in messages:
        process.stdin.write((message if isinstance(message, str) else json.dumps(message)) + "\n")
    process.stdin.flush()


def answered(process: "subprocess.Popen[str]") -> Any:
    """Read one message."""
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def calling(tool: str, arguments: object, number: int = 2) -> dict[str, object]:
    """Return a call."""
    params = {"name": tool, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


@promise("servers.mcp.cancelled")
async def test_a_cancelled_call_over_stdio_ends_its_worker_and_the_next_one_works(served: CommandLine) -> None:
    with served.start("mcp", "serve", stdin=subprocess.PIPE) as process:
        sent(process, ASK, READY, calling("behave.do", {"do": "sleep"}))
        answered(process)
        found = await until_busy(psutil.Process(process.pid))
        sent(process, {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}})
        ended = gone(found)
        sent(process, calling("hello.hello", {"name": "Ada"}, 3))
        next_one = answered(process)
        process.communicate(timeout=WAIT_S)

    assert ended
    assert (next_one["id"], next_one["result"]["structuredContent"]) == (3, {"greeting": "Hello, Ada!"})
    assert process.returncode == 0


@promise("servers.mcp.stdio.garbage")
async def test_garbage_is_answered_as_such_and_the_next_message_works(served: CommandLine) -> None:
    garbage = [
        "no json",
        "[]",
        '{"jsonrpc": "1.0"}',
        "[" * 100_000,
        '{"a": ' * 5000,
        "\x00\x01",
        "x" * (5 * 1024 * 1024),
    ]
    with served.start("mcp", "serve", stdin=subprocess.PIPE) as process:
        codes = []
        for line in garbage:
            sent(process, line)
            codes.append(answered(process)["error"]["code"])
        sent(process, "", ASK)
        welcome = answered(process)
        process.communicate(timeout=WAIT_S)

    assert codes == [-32700, -32600, -32600, -32700, -32700, -32700, -32600]
    assert (welcome["id"], welcome["result"]["protocolVersion"]) == (1, "2025-06-18")


@promise("servers.mcp.stdio.ends")
@promise("servers.mcp.stdio.clean")
async def test_what_is_piped_in_is_answered_before_the_end(served: CommandLine) -> None:
    lines = [ASK, READY, calling("hello.hello", {"name": "Ada"})]

    done = served.run("mcp", "serve", stdin="".join(json.dumps(line) + "\n" for line in lines))

    answers = [json.loads(line) for line in done.out.splitlines()]
    assert (done.code, [one["id"] for one in answers]) == (0, [1, 2]), done.err
    assert answers[1]["result"]["structuredContent"] == {"greeting": "Hello, Ada!"}


@promise("servers.mcp.stdio.ends")
@promise("servers.mcp.cancelled")
@pytest.mark.parametrize(
    ("way", "code"), [("SIGTERM", 0), ("SIGINT", 130), ("client dies", 0)], ids=["SIGTERM", "Ctrl-C", "client dies"]
)
async def test_a_server_that_must_end_in_the_middle_of_a_call_leaves_no_worker(
    served: CommandLine, way: str, code: int
) -> None:
    with served.start("mcp", "serve", stdin=subprocess.PIPE) as process:
        sent(process, ASK, READY, calling("behave.do", {"do": "sleep"}))
        answered(process)
        found = await until_busy(psutil.Process(process.pid))
        if way.startswith("SIG"):
            process.send_signal(getattr(signal, way))
        else:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            process.stdout.close()
        ended = process.wait(timeout=WAIT_S)

    assert (ended, gone(found)) == (code, True)


@promise("servers.mcp.http.loopback-only")
@pytest.mark.parametrize(
    "address", ["0.0.0.0:0", "[::]:0", "192.168.1.5:8765", "example.org:80", "8765x", "70000", ":", ""]
)
async def test_only_loopback_addresses_are_listened_on(address: str) -> None:
    with pytest.raises(UsageError):
        listening_place(address)


@promise("servers.mcp.http.loopback-only")
async def test_a_refused_address_ends_the_command(ourcli: CommandLine) -> None:
    done = ourcli.run("mcp", "serve", "--http", "0.0.0.0:0")

    assert (done.code, "is not this machine" in done.err, done.out) == (2, True, "")


@promise("servers.mcp.http.token")
@promise("servers.mcp.http.rebinding")
@promise("servers.mcp.http.body-bounded")
async def test_over_http_strangers_pages_and_floods_are_refused(ourcli: CommandLine) -> None:
    ask = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    with listening(ourcli) as server:
        known = {**ask, "authorization": f"Bearer {server.token}"}
        body = json.dumps(ASK).encode()
        async with httpx2.AsyncClient(timeout=WAIT_S) as http:
            codes = {
                "welcome": (await http.post(server.url, content=body, headers=known)).status_code,
                "no token": (await http.post(server.url, content=body, headers=ask)).status_code,
                "wrong token": (
                    await http.post(server.url, content=body, headers={**ask, "authorization": "Bearer x"})
                ).status_code,
                "foreign page": (
                    await http.post(server.url, content=body, headers={**known, "origin": "https://evil.example"})
                ).status_code,
                "foreign name": (
                    await http.post(server.url, content=body, headers={**known, "host": "evil.example"})
                ).status_code,
                "flood": (await http.post(server.url, content=b" " * (5 << 20), headers=known)).status_code,
                "garbage": (await http.post(server.url, content=b"no json", headers=known)).status_code,
            }
            port = re.search(r":(\d+)/", server.url)
            taken = ourcli.run("mcp", "serve", "--http", port[1] if port else "")
        server.process.terminate()
        code = server.process.wait(timeout=WAIT_S)

    assert codes == {
        "welcome": 200,
        "no token": 401,
        "wrong token": 401,
        "foreign page": 403,
        "foreign name": 403,
        "flood": 413,
        "garbage": 400,
    }
    assert (code, taken.code, "cannot listen" in taken.err) == (0, 1, True)
