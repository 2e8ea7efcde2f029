"""MCP servers over HTTP: a real one on loopback, judged connections, logins."""

import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import httpcore2
import httpx2
import pytest
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import AnyUrl

from ourcli.common.errors import DeniedError, ToolError
from ourcli.common.net import Gate
from ourcli.testing.web import FakeDialler, FakeResolver, page
from ourcli.tools.backends.mcp.auth import TokenFile, open_auth
from ourcli.tools.backends.mcp.host import McpHost
from ourcli.tools.backends.mcp.http import JudgedNetwork, judged_client
from ourcli.tools.backends.mcp.opening import Opener
from ourcli.tools.ports import ToolContext
from ourcli.tools.servers import KnownServer, McpServer
from tests.promises import promise
from tests.tools.mcp.peers import SDK

pytestmark = pytest.mark.anyio
PUBLIC = "93.184.216.34"
PATIENCE_S = 60.0


@contextmanager
def an_sdk_server() -> Iterator[str]:
    with subprocess.Popen([sys.executable, "-c", SDK, "http"], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(program.stdout.readline())}/mcp"
        finally:
            program.kill()


@promise("tools.mcp.http")
async def test_a_real_server_on_loopback_answers_and_comes_back_after_it_went_away(tmp_path: Path) -> None:
    host = McpHost(Opener(gate=Gate(network=False), tokens=tmp_path))
    try:
        with an_sdk_server() as url:
            server = McpServer(name="peer", url=url)
            tools, revision = await host.look(server, PATIENCE_S)
            known = KnownServer(server=server, tools=tools, revision=revision)
            answer = await host.call(known, "add", {"a": 1, "b": 2}, ToolContext(timeout_s=PATIENCE_S))
        with pytest.raises(ToolError, match="the MCP server 'peer'"):
            await host.call(known, "add", {"a": 1, "b": 2}, ToolContext(timeout_s=PATIENCE_S))
    finally:
        await host.aclose()

    assert (revision, answer) == ("2026-07-28", {"result": 3})


def judged(named: str, leads: dict[str, list[list[str]]], *, network: bool = True) -> tuple[JudgedNetwork, FakeDialler]:
    dialler = FakeDialler({"*": [page("{}", kind="application/json")]})
    return JudgedNetwork(named, Gate(network=network), FakeResolver(leads), dialler), dialler


@promise("tools.mcp.http")
@pytest.mark.parametrize(
    ("named", "host", "address"),
    [
        ("mcp.test", "login.test", "127.0.0.1"),
        ("mcp.test", "login.test", "169.254.169.254"),
        ("mcp.test", "login.test", "10.0.0.1"),
        ("mcp.test", "127.0.0.1", ""),
        ("localhost", "login.test", "127.0.0.1"),
        ("127.0.0.1", "10.0.0.1", ""),
    ],
)
async def test_a_host_that_a_server_names_must_be_public(named: str, host: str, address: str) -> None:
    network, dialler = judged(named, {host: [[PUBLIC, address]]})

    with pytest.raises(httpcore2.ConnectError, match="only the named server may"):
        await network.connect_tcp(host, 443)

    assert dialler.dialled == []


@promise("tools.mcp.http")
async def test_a_host_that_a_server_names_is_not_dialled_while_the_network_is_off() -> None:
    network, dialler = judged("127.0.0.1", {"login.test": [[PUBLIC]]}, network=False)

    with pytest.raises(httpcore2.ConnectError, match="the network is off"):
        await network.connect_tcp("login.test", 443)

    assert dialler.dialled == []


@pytest.mark.parametrize(
    ("named", "host", "dialled"),
    [("mcp.test", "mcp.test", "10.0.0.1"), ("mcp.test", "login.test", PUBLIC), ("localhost", "127.0.0.1", "127.0.0.1")],
)
async def test_the_named_host_and_public_ones_are_dialled_where_they_were_judged(
    named: str, host: str, dialled: str
) -> None:
    leads = {"mcp.test": [["10.0.0.1"], ["10.6.6.6"]], "login.test": [[PUBLIC], ["10.6.6.6"]]}
    network, dialler = judged(named, leads)

    await network.connect_tcp(host, 443)

    assert dialler.dialled == [(dialled, 443)]


@promise("tools.mcp.http")
@pytest.mark.parametrize(
    "answer",
    [
        page(b"\x1f\x8b", kind="application/json", headers=["content-encoding: gzip"]),
        page(b"x" * 17_000_000, kind="application/json"),
        b"HTTP/1.1 200 OK\r\n",
        b"",
    ],
)
async def test_an_answer_that_is_packed_too_large_or_broken_is_an_error_of_the_transport(
    answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://10.9.9.9:3128")
    dialler = FakeDialler({"*": [answer]})
    network = JudgedNetwork("mcp.test", Gate(network=True), FakeResolver({"mcp.test": [[PUBLIC]]}), dialler)

    async with judged_client(network) as client:
        with pytest.raises(httpx2.HTTPError):
            await client.get("http://mcp.test/")

    assert dialler.dialled == [(PUBLIC, 80)]


async def test_no_cookie_is_kept() -> None:
    answer = page("{}", kind="application/json", headers=["set-cookie: id=1"])
    dialler = FakeDialler({"*": [answer]})
    network = JudgedNetwork("mcp.test", Gate(network=True), FakeResolver({"mcp.test": [[PUBLIC]]}), dialler)

    async with judged_client(network) as client:
        await client.get("http://mcp.test/")
        await client.get("http://mcp.test/")

    assert b"cookie" not in dialler.sent[1].lower()


SERVER = McpServer(name="far", url="https://mcp.example.com/mcp")
TOKENS = OAuthToken(access_token="s3cret", refresh_token="again")
CLIENT = OAuthClientInformationFull(client_id="me", redirect_uris=[AnyUrl("http://127.0.0.1:1/callback")])


@promise("tools.mcp.login")
async def test_tokens_are_kept_for_their_owner_only_and_count_for_one_url(tmp_path: Path) -> None:
    path = tmp_path / "mcp" / "far.json"
    kept = TokenFile(path, SERVER)
    await kept.set_tokens(TOKENS)
    await kept.set_client_info(CLIENT)

    again = TokenFile(path, SERVER)
    elsewhere = TokenFile(path, McpServer(name="far", url="https://evil.example.com/mcp"))

    assert (await again.get_tokens(), await again.get_client_info()) == (TOKENS, CLIENT)
    assert (await elsewhere.get_tokens(), await elsewhere.get_client_info()) == (None, None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1}', '{"url": "x", "more": 1}'])
async def test_damaged_tokens_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "far.json").write_text(text)

    assert await TokenFile(tmp_path / "far.json", SERVER).get_tokens() is None


async def test_a_client_that_was_agreed_beforehand_is_used_with_its_secret(tmp_path: Path) -> None:
    server = McpServer(name="far", url=SERVER.url, client_id="agreed", secret_env="KEY")

    info = await TokenFile(tmp_path / "far.json", server, secret="s3cret").get_client_info()

    assert info is not None
    assert (info.client_id, info.client_secret) == ("agreed", "s3cret")


class Person:
    def __init__(self, *, agrees: bool) -> None:
        self._agrees = agrees
        self.shown: list[str] = []

    async def show(self, url: str) -> bool:
        self.shown.append(url)
        return self._agrees


@promise("tools.mcp.login")
async def test_without_a_person_nobody_logs_in(tmp_path: Path) -> None:
    async with open_auth(SERVER, tmp_path / "far.json", browser=None) as auth:
        assert auth.context.redirect_handler is not None
        with pytest.raises(DeniedError, match="asks for a login"):
            await auth.context.redirect_handler("https://login.example.com/")


@promise("tools.mcp.login")
@pytest.mark.parametrize(("url", "shown"), [("https://login.example.com/", 1), ("http://login.example.com/", 0)])
async def test_a_page_is_opened_only_encrypted_and_with_consent(tmp_path: Path, url: str, shown: int) -> None:
    person = Person(agrees=False)
    with pytest.RaisesGroup(DeniedError):
        async with open_auth(SERVER, tmp_path / "far.json", browser=person) as auth:
            assert auth.context.redirect_handler is not None
            await auth.context.redirect_handler(url)

    assert len(person.shown) == shown


@promise("tools.mcp.login")
async def test_the_code_of_a_login_comes_back_through_loopback_and_other_visitors_bring_nothing(tmp_path: Path) -> None:
    async with (
        open_auth(SERVER, tmp_path / "far.json", browser=Person(agrees=True)) as auth,
        httpx2.AsyncClient(trust_env=False) as visitor,
    ):
        door = str((auth.context.client_metadata.redirect_uris or [])[0])
        wrong = [await visitor.get(door.replace("callback", path)) for path in ("", "favicon.ico")]
        posted = await visitor.post(door, params={"code": "stolen"})
        right = await visitor.get(door, params={"code": "abc", "state": "s", "iss": "https://login.example.com"})
        assert auth.context.callback_handler is not None
        with anyio.fail_after(PATIENCE_S):
            result = await auth.context.callback_handler()

    assert door.startswith("http://127.0.0.1:")
    assert [answer.status_code for answer in (*wrong, posted, right)] == [404, 404, 404, 200]
    assert (result.code, result.state, result.iss) == ("abc", "s", "https://login.example.com")
