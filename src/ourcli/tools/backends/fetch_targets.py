"""Where a fetch goes, read once: what is checked is what is dialled."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx2

from ourcli.common.errors import InvalidInputError, ToolError, ToolInputError
from ourcli.tools.backends.fetch_addresses import Address, parse_address
from ourcli.tools.capabilities import Capability, parse
from ourcli.tools.fetching import FetchRequest

MOST_URL: Final = 8_192
MOST_HEADERS: Final = 64
MOST_HEADER: Final = 8_192
MOST_BODY: Final = 4 * 1024 * 1024
METHODS: Final = ("GET", "HEAD", "POST")
_PORTS: Final = {"http": 80, "https": 443}
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}\Z")
_REFUSED: Final = frozenset(
    {"accept-encoding", "connection", "content-encoding", "content-length", "cookie", "cookie2", "expect", "forwarded"}
    | {"host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "via"}
)
_REFUSED_BEGINNINGS: Final = ("proxy-", "sec-", "x-forwarded-", "x-real-ip")
_GO_ANYWHERE: Final = frozenset({"accept", "accept-language", "user-agent"})
_ODD: Final = re.compile(r"[\s\\<>\"^`{|}\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A place to fetch from.

    Attributes:
        scheme: `http` or `https`.
        host: A name in small letters, or an address without brackets.
        port: As given or of the scheme.
        path: Path and query as they are sent.
        capability: The right that is needed: `net=HOST:PORT`.
    """

    scheme: str
    host: str
    port: int
    path: bytes
    capability: Capability

    def __str__(self) -> str:
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self._written_host}{port}{self.path.decode('ascii')}"

    @property
    def _written_host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def address(self) -> Address | None:
        """The address when the host is one, None when it is a name."""
        return parse_address(self.host)

    @property
    def place(self) -> tuple[str, str, int]:
        """Scheme, host and port: what headers with secrets must not leave (RFC 6454)."""
        return self.scheme, self.host, self.port


def target_of(url: str) -> Target:
    """Read an address.

    Raises:
        ToolInputError: It is none that is fetched. Numbers in odd spellings are no hosts: they are refused here.
    """
    if len(url) > MOST_URL or _ODD.search(url):
        raise _refused(url, "it is too long or holds characters that no address holds")
    try:
        read = httpx2.URL(url)
        host = read.raw_host.decode("ascii")
    except (httpx2.InvalidURL, UnicodeError) as exc:
        raise _refused(url, "it cannot be read") from exc
    if read.scheme not in _PORTS:
        raise _refused(url, "only http and https are fetched")
    if read.userinfo:
        raise _refused(url, "it holds a user's name or password")
    port = _PORTS[read.scheme] if read.port is None else read.port
    return Target(
        scheme=read.scheme, host=host, port=port, path=read.raw_path or b"/", capability=_capability(url, host, port)
    )


def _capability(url: str, host: str, port: int) -> Capability:
    try:
        if "%" in host:
            raise InvalidInputError("no host holds a percent sign")
        return parse(f"net=[{host}]:{port}" if ":" in host else f"net={host}:{port}")
    except InvalidInputError as exc:
        raise _refused(url, "its host is no name and no address in its usual spelling") from exc


def _refused(url: str, reason: str) -> ToolInputError:
    return ToolInputError(f"{url[:200]!r} is not fetched: {reason}", hint="write it like https://example.com/page")


def redirected(start: Target, location: str) -> Target:
    """Return where a redirect leads.

    Raises:
        ToolError: It leads nowhere that is fetched, or from https down to http.
    """
    try:
        following = target_of(str(httpx2.URL(str(start)).join(location.strip()).copy_with(fragment=None)))
    except (ToolInputError, httpx2.InvalidURL, ValueError) as exc:
        raise ToolError(f"{str(start)!r} redirects to {location[:200]!r}, which is not fetched") from exc
    if (start.scheme, following.scheme) == ("https", "http"):
        raise ToolError(f"{str(start)!r} redirects to {str(following)!r}, which is not encrypted; it was not followed")
    return following


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked of a target.

    Attributes:
        method: Of HTTP.
        headers: Checked names and values.
        body: What is posted.
    """

    method: str
    headers: Mapping[str, str]
    body: bytes | None

    def after(self, status: int, *, same_place: bool) -> "Order":
        """Return what is asked of where a redirect leads (RFC 9110, section 15.4).

        A tool's own headers, which may hold its secrets, and its body do not leave the place they were meant for.
        """
        kept = {name: value for name, value in self.headers.items() if same_place or name in _GO_ANYWHERE}
        becomes_get = self.method == "POST" and (status in {301, 302, 303} or not same_place)
        if not becomes_get:
            return Order(method=self.method, headers=kept, body=self.body)
        kept = {name: value for name, value in kept.items() if not name.startswith("content-")}
        return Order(method="GET", headers=kept, body=None)


def order_of(request: FetchRequest) -> Order:
    """Check what a tool wants to ask.

    Raises:
        ToolInputError: A method, a header or a body that is not sent.
    """
    if request.method not in METHODS:
        raise ToolInputError(f"the method {request.method[:40]!r} is not sent", hint=f"use {', '.join(METHODS)}")
    if request.body is not None and (request.method != "POST" or len(request.body) > MOST_BODY):
        raise ToolInputError(f"a body goes with POST only, and holds at most {MOST_BODY} bytes")
    if len(request.headers) > MOST_HEADERS:
        raise ToolInputError(f"more than {MOST_HEADERS} headers are not sent")
    headers = {}
    for name, value in request.headers.items():
        low = name.lower()
        if not _NAME.match(name) or low in _REFUSED or low.startswith(_REFUSED_BEGINNINGS) or low in headers:
            raise ToolInputError(f"the header {name[:80]!r} is not sent", hint="leave it out; the host sets its own")
        if len(value) > MOST_HEADER or not value.isascii() or not value.isprintable():
            raise ToolInputError(f"the value of the header {name[:80]!r} is too long or not plain text")
        headers[low] = value
    return Order(method=request.method, headers=headers, body=request.body)
