"""A web that a test makes up: names that lead where it says, connections that answer what it says, pages by address."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import anyio
import anyio.lowlevel
from anyio.abc import ByteStream

from ourcli.common.errors import CapabilityDeniedError, NotFoundError, OurcliError, ToolError
from ourcli.tools.capabilities import Capability, missing, parse
from ourcli.tools.fetching import Fetched, FetchRequest


def page(
    body: bytes | str = "hello", *, status: str = "200 OK", kind: str = "text/plain", headers: Sequence[str] = ()
) -> bytes:
    """Return an HTTP answer that closes its connection; `kind` "" tells none."""
    content = body.encode() if isinstance(body, str) else body
    told = [f"HTTP/1.1 {status}", f"content-length: {len(content)}", "connection: close", *headers]
    told += [f"content-type: {kind}"] if kind else []
    return "\r\n".join([*told, "", ""]).encode("latin-1") + content


def redirect(location: str, status: str = "302 Found") -> bytes:
    """Return an HTTP answer that leads elsewhere."""
    return page("", status=status, headers=[f"location: {location}"])


class FakeResolver:
    """Names and their addresses; a name that is asked for again gets the next list, and the last one for ever.

    Args:
        names: By name, lists of addresses.
    """

    def __init__(self, names: Mapping[str, Sequence[Sequence[str]]] | None = None) -> None:
        self._names = dict(names or {})
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> Sequence[str]:  # noqa: ARG002
        """Return the addresses of a name."""
        await anyio.lowlevel.checkpoint()
        self.asked.append(host)
        if host not in self._names:
            raise ToolError(f"the name {host!r} cannot be looked up: it is not known")
        lists = self._names[host]
        return lists[min(self.asked.count(host), len(lists)) - 1]


class FakeDialler:
    """Connections that never leave the process.

    Args:
        servers: By address, or `*`: the answers of one connection after the other, the last one for ever.
        closed: Addresses that take no connection.
    """

    def __init__(self, servers: Mapping[str, Sequence[bytes]] | None = None, *, closed: Sequence[str] = ()) -> None:
        self._servers, self._closed = dict(servers or {}), closed
        self._asked: defaultdict[str, int] = defaultdict(int)
        self.dialled: list[tuple[str, int]] = []
        self.streams: list[FakeStream] = []

    @property
    def sent(self) -> list[bytes]:
        """What was sent on each connection."""
        return [bytes(stream.sent) for stream in self.streams]

    async def dial(self, address: str, port: int) -> ByteStream:
        """Return a connection that gives its answer."""
        await anyio.lowlevel.checkpoint()
        self.dialled.append((address, port))
        key = address if address in self._servers else "*"
        if address in self._closed or key not in self._servers:
            raise ConnectionRefusedError(f"{address} refuses")
        answers = self._servers[key]
        stream = FakeStream(answers[min(self._asked[key], len(answers) - 1)])
        self._asked[key] += 1
        self.streams.append(stream)
        return stream


class FakeStream(ByteStream):
    """Give bytes, keep what is sent.

    Args:
        answer: Given in pieces, then the end.
    """

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self.sent = bytearray()
        self.given = 0
        self.closed = False

    async def receive(self, max_bytes: int = 65_536) -> bytes:
        """Return the next bytes."""
        await anyio.lowlevel.checkpoint()
        piece = self._answer[self.given : self.given + max_bytes]
        self.given += len(piece)
        if not piece:
            raise anyio.EndOfStream
        return piece

    async def send(self, item: bytes) -> None:
        """Keep bytes."""
        await anyio.lowlevel.checkpoint()
        self.sent += item

    async def send_eof(self) -> None:
        """Do nothing."""
        await anyio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        """Close."""
        await anyio.lowlevel.checkpoint()
        self.closed = True


class FakeFetcher:
    """Pages by address, for whoever uses the port; the host must be granted.

    Args:
        pages: Pages or errors by URL.
    """

    def __init__(self, pages: Mapping[str, Fetched | OurcliError] | None = None) -> None:
        self._pages = dict(pages or {})
        self.asked: list[FetchRequest] = []

    async def fetch(self, request: FetchRequest, granted: frozenset[Capability]) -> Fetched:
        """Return the page; see `ourcli.tools.ports.Fetcher`."""
        await anyio.lowlevel.checkpoint()
        scheme, _, rest = request.url.partition("://")
        host = rest.partition("/")[0]
        needed = parse(f"net={host if ':' in host else host + (':443' if scheme == 'https' else ':80')}")
        if missing((needed,), granted):
            raise CapabilityDeniedError(f"{request.url!r} was not fetched", capability=str(needed))
        self.asked.append(request)
        found = self._pages.get(request.url, NotFoundError(f"no page {request.url!r}"))
        if isinstance(found, OurcliError):
            raise found
        return found
