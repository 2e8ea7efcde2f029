"""The host's fetch: what it would dial, what it refuses, and how little a page can do."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import pytest

from ourcli.common.errors import CapabilityDeniedError, NetworkOffError, ToolError, ToolInputError
from ourcli.common.errors import ToolTimeoutError as Late
from ourcli.common.net import Gate
from ourcli.testing.web import FakeDialler, FakeResolver, FakeStream, page, redirect
from ourcli.tools.backends.fetch import MOST_REDIRECTS, HostFetcher
from ourcli.tools.capabilities import parse
from ourcli.tools.fetching import Fetched, FetchRequest
from tests.promises import promise
from tests.support.web import PUBLIC, SITE, Web, rights

pytestmark = pytest.mark.anyio


@promise("tools.fetch.off")
async def test_without_the_network_nothing_is_looked_up() -> None:
    web = Web(network=False)

    with pytest.raises(NetworkOffError, match=r"site\.test") as caught:
        await web.get("https://site.test/", "site.test")

    assert (caught.value.exit_code, web.resolver.asked, web.dialler.dialled) == (6, [], [])


@promise("tools.fetch.granted")
@pytest.mark.parametrize("grants", [(), ("other.test",), ("site.test:443",), ("www.site.test",), (PUBLIC,)])
async def test_a_host_that_is_not_granted_is_neither_looked_up_nor_dialled(grants: tuple[str, ...]) -> None:
    web = Web()

    with pytest.raises(CapabilityDeniedError) as caught:
        await web.get("http://site.test/", *grants)

    assert (caught.value.exit_code, caught.value.capability) == (4, "net=site.test:80")
    assert (web.resolver.asked, web.dialler.dialled) == ([], [])


@promise("tools.fetch.granted")
async def test_a_granted_page_comes_as_text_with_its_kind_and_place() -> None:
    web = Web(page("<p>grüezi", kind="text/HTML; charset=UTF-8"))

    got = await web.get("http://SITE.test/a b?q=ü#part".replace(" ", "%20"), "site.test")

    assert got == Fetched(url="http://site.test/a%20b?q=%C3%BC", status=200, content_type="text/html", text="<p>grüezi")
    assert web.dialler.dialled == [(PUBLIC, 80)]
    assert web.dialler.streams[0].closed


@promise("tools.fetch.spelling")
@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1./",
        "http://１２７.0.0.1/",
        "http://[fe80::1%25eth0]/",
        "http://loc%61lhost/",
        "http://site.test:0/",
        "http://site.test:99999/",
        "http://user:secret@site.test/",
        "http://site.test\\@other.test/",
        "http://site.test\t/",
        "http://site.test/a\r\nHost: other.test",
        "http:///nowhere",
        "//site.test/",
        "file:///etc/passwd",
        "ftp://site.test/",
        "gopher://site.test/",
        "javascript:alert(1)",
        "http://" + "a" * 9_000,
        "",
    ],
)
async def test_an_odd_address_is_refused_before_anything_is_looked_up(url: str) -> None:
    web = Web()

    with pytest.raises(ToolInputError, match="is not fetched"):
        await web.get(url, "site.test", "127.0.0.1", "localhost")

    assert (web.resolver.asked, web.dialler.dialled) == ([], [])


SPECIAL = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "192.0.0.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:93.184.216.34",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "4000::1",
    "fc00::1",
    "fe80::1%eth0",
    "ff02::1",
]


@promise("tools.fetch.private")
@pytest.mark.parametrize("address", SPECIAL)
async def test_a_granted_name_that_leads_to_a_special_address_is_not_dialled(address: str) -> None:
    web = Web(names={"site.test": [[PUBLIC, address]]})

    with pytest.raises(CapabilityDeniedError, match=r"'site\.test' leads to") as caught:
        await web.get("http://site.test/", "site.test")

    assert web.dialler.dialled == []
    assert parse(caught.value.capability).value.endswith(":80")


@promise("tools.fetch.private")
@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "localhost"])
async def test_a_special_host_is_not_dialled_unless_it_is_granted_by_name(host: str) -> None:
    web = Web(names={"localhost": [["127.0.0.1"]]})

    with pytest.raises(CapabilityDeniedError):
        await web.get(f"http://{host}/", "site.test")

    assert (web.resolver.asked, web.dialler.dialled) == ([], [])


@promise("tools.fetch.private")
@pytest.mark.parametrize(
    ("url", "grants", "dialled"),
    [
        ("http://127.0.0.1:81/", ["127.0.0.1:81"], ("127.0.0.1", 81)),
        ("http://[::1]/", ["[::1]"], ("::1", 80)),
        ("http://localhost/", ["localhost"], ("127.0.0.1", 80)),
        ("http://wiki.test/", ["wiki.test", "10.0.0.5"], ("10.0.0.5", 80)),
        ("http://wiki.test/", ["wiki.test", "10.0.0.5:80"], ("10.0.0.5", 80)),
    ],
)
async def test_a_special_address_that_is_granted_itself_is_dialled(
    url: str, grants: list[str], dialled: tuple[str, int]
) -> None:
    web = Web(names={"localhost": [["127.0.0.1", "::1"]], "wiki.test": [["10.0.0.5"]]})

    await web.get(url, *grants)

    assert web.dialler.dialled == [dialled]


async def test_localhost_must_be_this_machine() -> None:
    web = Web(names={"localhost": [["10.0.0.1"]]})

    with pytest.raises(CapabilityDeniedError, match="private"):
        await web.get("http://localhost/", "localhost")


@promise("tools.fetch.rebinding")
async def test_a_name_that_changes_its_address_is_dialled_at_the_one_that_was_judged() -> None:
    web = Web(names={"site.test": [[PUBLIC], ["127.0.0.1"]]})

    await web.get("http://site.test/", "site.test")

    assert (web.resolver.asked, web.dialler.dialled) == (["site.test"], [(PUBLIC, 80)])


@promise("tools.fetch.rebinding")
async def test_a_name_is_judged_anew_at_every_hop() -> None:
    web = Web(redirect("/again"), names={"site.test": [[PUBLIC], ["127.0.0.1"]]})

    with pytest.raises(CapabilityDeniedError, match=r"127\.0\.0\.1, which is loopback"):
        await web.get("http://site.test/", "site.test")

    assert web.dialler.dialled == [(PUBLIC, 80)]


@pytest.mark.parametrize("found", [[], ["not an address"]])
async def test_a_name_without_a_usable_address_fails_in_words(found: list[str]) -> None:
    with pytest.raises(ToolError, match=r"site\.test"):
        await Web(names={"site.test": [found]}).get("http://site.test/", "site.test")


async def test_the_next_address_is_tried_when_one_takes_no_connection() -> None:
    web = Web(names={"site.test": [[PUBLIC, "93.184.216.35"]]}, closed=(PUBLIC,))

    await web.get("http://site.test/", "site.test")

    assert web.dialler.dialled == [(PUBLIC, 80), ("93.184.216.35", 80)]


async def test_a_host_that_takes_no_connection_is_named() -> None:
    with pytest.raises(ToolError, match=r"site\.test cannot be reached: 93\.184\.216\.34 refuses"):
        await Web(closed=(PUBLIC,)).get("http://site.test/", "site.test")


@promise("tools.fetch.granted")
@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("http://169.254.169.254/latest/meta-data/", "net=169.254.169.254:80"),
        ("http://127.0.0.1:8080/", "net=127.0.0.1:8080"),
        ("//other.test/", "net=other.test:80"),
        ("http://site.test:8080/", "net=site.test:8080"),
    ],
)
async def test_a_redirect_to_what_is_not_granted_is_not_followed(location: str, named: str) -> None:
    web = Web(redirect(location))

    with pytest.raises(CapabilityDeniedError) as caught:
        await web.get("http://site.test/", "site.test:80")

    assert caught.value.capability == named
    assert web.dialler.dialled == [(PUBLIC, 80)]


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "http://u:p@site.test/", "http://0x7f.1/", "http://[", "\x7f"]
)
async def test_a_redirect_to_no_address_that_is_fetched_fails_in_words(location: str) -> None:
    web = Web(redirect(location))

    with pytest.raises(ToolError):
        await web.get("http://site.test/", "site.test")

    assert len(web.dialler.dialled) == 1


async def test_redirects_end() -> None:
    web = Web(redirect("/round"))

    with pytest.raises(ToolError, match="more than 5 times"):
        await web.get("http://site.test/", "site.test")

    assert len(web.dialler.dialled) == MOST_REDIRECTS + 1


@promise("tools.fetch.granted")
async def test_granted_redirects_are_followed_and_told() -> None:
    web = Web(redirect("/b"), redirect("http://two.test/c", "308 Permanent Redirect"), page("end"), names={
        "site.test": [[PUBLIC]], "two.test": [["93.184.216.35"]],
    })  # fmt: skip

    got = await web.get("http://site.test/a", "site.test", "two.test")

    assert (got.url, got.text, got.redirects) == (
        "http://two.test/c",
        "end",
        ("http://site.test/a", "http://site.test/b"),
    )
    assert web.dialler.dialled == [(PUBLIC, 80), (PUBLIC, 80), ("93.184.216.35", 80)]


@promise("tools.fetch.quiet")
async def test_a_fetch_sends_what_it_must_and_no_cookie_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://10.9.9.9:3128")
    web = Web(page("", status="302 Found", headers=["location: /b", "set-cookie: id=1"]), page("b"))

    await web.get("http://site.test/a", "site.test", headers={"X-Key": "k"})

    first, second = (sent.decode().lower() for sent in web.dialler.sent)
    assert first.startswith("get /a http/1.1\r\nhost: site.test\r\n")
    assert "\r\nx-key: k\r\n" in second, "a redirect within the place keeps the tool's own headers"
    assert "cookie" not in first + second
    assert "proxy" not in first + second
    assert web.dialler.dialled == [(PUBLIC, 80)] * 2


@promise("tools.fetch.quiet")
@pytest.mark.parametrize("status", ["302 Found", "307 Temporary Redirect"])
async def test_headers_and_bodies_of_a_tool_do_not_leave_their_place(status: str) -> None:
    web = Web(
        redirect("http://two.test/", status), page("end"), names={"site.test": [[PUBLIC]], "two.test": [[PUBLIC]]}
    )
    given = {"Authorization": "Bearer s3cret", "X-Api-Key": "s3cret", "Accept-Language": "de", "Content-Type": "a/b"}

    await web.get("http://site.test/", "site.test", "two.test", method="POST", headers=given, body=b"s3cret")

    first, second = web.dialler.sent
    assert first.count(b"s3cret") == 3
    assert b"s3cret" not in second
    assert second.startswith(b"GET / ")
    assert b"accept-language: de" in second
    assert b"content-type" not in second


@promise("tools.fetch.quiet")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "other.test"),
        ("Cookie", "a=b"),
        ("Proxy-Authorization", "x"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "0"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("a b", "x"),
        ("X:", "x"),
        ("", "x"),
        ("X", "a\r\nHost: other.test"),
        ("X", "ü"),
        ("X", "a" * 9_000),
    ],
)
async def test_headers_that_a_tool_must_not_set_are_refused(name: str, value: str) -> None:
    web = Web()

    with pytest.raises(ToolInputError, match="header"):
        await web.get("http://site.test/", "site.test", headers={name: value})

    assert web.dialler.dialled == []


@pytest.mark.parametrize("more", [{"method": "DELETE"}, {"method": "GET\r\nX:"}, {"body": b"x"}])
async def test_methods_and_bodies_that_are_not_sent_are_refused(more: dict[str, object]) -> None:
    with pytest.raises(ToolInputError):
        await Web().get("http://site.test/", "site.test", **more)


async def test_a_head_brings_the_kind_and_no_body() -> None:
    web = Web(b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 5\r\n\r\n")

    got = await web.get("http://site.test/", "site.test", method="HEAD")

    assert (got.content_type, got.text) == ("image/png", "")


class Silent(FakeDialler):
    """Takes connections and says nothing."""

    async def dial(self, address: str, port: int) -> FakeStream:
        self.dialled.append((address, port))
        return Mute(b"")


class Mute(FakeStream):
    async def receive(self, max_bytes: int = 65_536) -> bytes:
        await anyio.sleep_forever()
        raise AssertionError


@promise("tools.fetch.bounded")
async def test_a_host_that_never_answers_is_left_in_time() -> None:
    dialler = Silent()
    fetcher = HostFetcher(Gate(network=True), resolver=FakeResolver(SITE), dialler=dialler)

    with pytest.raises(Late, match=r"within 0\.05 s"):
        await fetcher.fetch(FetchRequest(url="http://site.test/", timeout_s=0.05), rights("site.test"))

    assert len(dialler.dialled) == 1


class _Pages(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        head = b"".join(iter(self.rfile.readline, b"\r\n"))
        self.wfile.write(page(head.decode("latin-1").splitlines()[1]))


@contextmanager
def a_server() -> Iterator[int]:
    with socketserver.TCPServer(("127.0.0.1", 0), _Pages) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@promise("tools.fetch.granted")
async def test_a_real_server_on_this_machine_answers_when_it_is_granted_by_name() -> None:
    with a_server() as port:
        fetcher = HostFetcher(Gate(network=False))

        with pytest.raises(CapabilityDeniedError):
            await fetcher.fetch(FetchRequest(url=f"http://127.0.0.1:{port}/"), rights("site.test"))
        by_address = await fetcher.fetch(FetchRequest(url=f"http://127.0.0.1:{port}/"), rights("127.0.0.1"))
        by_name = await fetcher.fetch(FetchRequest(url=f"http://localhost:{port}/"), rights(f"localhost:{port}"))

    assert by_address.text == f"Host: 127.0.0.1:{port}"
    assert by_name.text == f"Host: localhost:{port}"
