"""The host's fetch: the one way in which a tool reaches the network.

For every hop: the address is read once, the gate is asked, the host must be granted, its name is looked up once, every
address it has is judged, and the connection is dialled to one of those very addresses. A name that leads to a machine
that is not on the public Internet needs a grant of that address too, for whoever answers for the name could lead
anywhere; `localhost` is its own name. No cookies, no proxy, no credentials, no second look-up.
"""

import ssl
from dataclasses import dataclass
from typing import Final

import anyio
import httpcore2

from ourcli.common.errors import CapabilityDeniedError, ToolError, ToolOutputError, ToolTimeoutError
from ourcli.common.net import Gate
from ourcli.tools.backends.fetch_addresses import Address, parse_address, special, written
from ourcli.tools.backends.fetch_body import PACKED, TAKEN, decoded, is_taken, kind_of, unpacked
from ourcli.tools.backends.fetch_dialling import Pinned, SystemDialler, SystemResolver
from ourcli.tools.backends.fetch_targets import Order, Target, order_of, redirected, target_of
from ourcli.tools.capabilities import Capability, CapabilityKind, missing
from ourcli.tools.fetching import Fetched, FetchRequest
from ourcli.tools.ports import Dialler, Resolver

PURPOSE: Final = "fetch"
MOST_REDIRECTS: Final = 5
MOST_S: Final = 60.0
MOST_BYTES: Final = 16 * 1024 * 1024
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_FAILURES: Final = (
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.TimeoutException,
    httpcore2.UnsupportedProtocol,
)
_OWN_HEADERS: Final = {
    "accept": "text/html,application/xhtml+xml,application/json,text/*;q=0.9,*/*;q=0.1",
    "user-agent": "ourcli",
    "accept-encoding": "gzip",
    "connection": "close",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What one hop gave: a page, or where to look next."""

    status: int
    location: str = ""
    content_type: str = ""
    text: str = ""


class HostFetcher:
    """Fetches what was granted, over connections that it judged itself.

    Args:
        gate: Knows whether the network is on.
        resolver: Looks names up.
        dialler: Opens connections.
        trust: Whose certificates are believed; None for those that this machine believes.
        taken: Content types that are taken, `*` once in each.
    """

    def __init__(
        self,
        gate: Gate,
        *,
        resolver: Resolver | None = None,
        dialler: Dialler | None = None,
        trust: ssl.SSLContext | None = None,
        taken: tuple[str, ...] = TAKEN,
    ) -> None:
        self._gate = gate
        self._resolver, self._dialler = resolver or SystemResolver(), dialler or SystemDialler()
        self._trust, self._taken = trust, taken

    async def fetch(self, request: FetchRequest, granted: frozenset[Capability]) -> Fetched:
        """Fetch once; see `ourcli.tools.ports.Fetcher`.

        Time and size are bounded by what the request says, but never beyond `MOST_S` and `MOST_BYTES`.

        Raises:
            ToolInputError: The address, a header or the method is none that is sent.
            NetworkOffError: The network is off.
            CapabilityDeniedError: The host or an address it leads to is not granted; nothing was dialled for it.
            ToolTimeoutError: It took too long.
            ToolOutputError: What came is too large, or of a kind that is not taken.
            ToolError: The host could not be reached, or redirects without end.
        """
        seconds = min(request.timeout_s, MOST_S)
        try:
            with anyio.fail_after(seconds):
                return await self._followed(request, granted)
        except TimeoutError as exc:
            raise ToolTimeoutError(f"{request.url[:200]!r} was not fetched within {seconds:g} s") from exc

    async def _followed(self, request: FetchRequest, granted: frozenset[Capability]) -> Fetched:
        target, order = target_of(request.url), order_of(request)
        most_bytes, passed = min(request.most_bytes, MOST_BYTES), list[str]()
        while True:
            answer = await self._asked(target, order, await self._judged(target, granted), most_bytes)
            if not answer.location:
                return Fetched(
                    url=str(target),
                    status=answer.status,
                    content_type=answer.content_type,
                    text=answer.text,
                    redirects=tuple(passed),
                )
            passed.append(str(target))
            if len(passed) > MOST_REDIRECTS:
                raise ToolError(f"{request.url[:200]!r} redirects more than {MOST_REDIRECTS} times")
            following = redirected(target, answer.location)
            order = order.after(answer.status, same_place=target.place == following.place)
            target = following

    async def _judged(self, target: Target, granted: frozenset[Capability]) -> list[str]:
        """Return the addresses that may be dialled for a target; all it has were judged."""
        self._gate.allow(PURPOSE, target.host)
        if missing((target.capability,), granted):
            raise _denied(str(target), target.capability, "nobody granted its host")
        if target.address is not None:
            return [str(target.address)]
        found = [(text, parse_address(text)) for text in await self._resolver.resolve(target.host, target.port)]
        if not found:
            raise ToolError(f"the name {target.host!r} has no address")
        for text, address in found:
            if address is None:
                raise ToolError(f"the name {target.host!r} leads to {text[:80]!r}, which is no address")
            _judge(target, address, granted)
        return [str(address) for _, address in found]

    async def _asked(self, target: Target, order: Order, addresses: list[str], most_bytes: int) -> _Answer:
        if self._trust is None and target.scheme == "https":
            self._trust = httpcore2.default_ssl_context()
        url = httpcore2.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        headers = [(name.encode(), value.encode()) for name, value in (_OWN_HEADERS | dict(order.headers)).items()]
        backend = Pinned(self._dialler, addresses)
        try:
            async with (
                httpcore2.AsyncConnectionPool(self._trust, max_connections=1, network_backend=backend) as pool,
                pool.stream(order.method, url, headers=headers, content=order.body) as response,
            ):
                return await self._read(target, order, response, most_bytes)
        except _FAILURES as exc:
            raise ToolError(f"{str(target)[:200]!r} was not fetched: {str(exc) or type(exc).__name__}") from exc

    async def _read(self, target: Target, order: Order, response: httpcore2.Response, most_bytes: int) -> _Answer:
        told = {name.lower(): value.decode("latin-1") for name, value in response.headers}
        location = told.get(b"location", "")
        if response.status in _REDIRECTS and location:
            return _Answer(status=response.status, location=location)
        kind, charset = kind_of(told.get(b"content-type", ""))
        if order.method == "HEAD":
            return _Answer(status=response.status, content_type=kind)
        if not is_taken(kind, self._taken):
            raise ToolOutputError(f"{str(target)[:200]!r} is {kind[:80]!r}, which is not taken; it was not read")
        packing = told.get(b"content-encoding", "").strip().lower()
        if packing not in PACKED:
            raise ToolOutputError(f"{str(target)[:200]!r} is packed as {packing[:60]!r}, which nobody asked for")
        body = await unpacked(response.aiter_stream(), packing, most_bytes=most_bytes)
        return _Answer(status=response.status, content_type=kind, text=decoded(body, charset, told=bool(kind)))


def _judge(target: Target, address: Address, granted: frozenset[Capability]) -> None:
    """Refuse an address that a name must not lead to.

    Raises:
        CapabilityDeniedError: It is not public and not granted itself.
    """
    word = special(address)
    if not word or (target.host == "localhost" and word == "loopback"):
        return
    own = Capability(CapabilityKind.NET, f"{written(address)}:{target.port}")
    if missing((own,), granted):
        raise _denied(str(target), own, f"{target.host!r} leads to {address}, which is {word}")


def _denied(url: str, capability: Capability, reason: str) -> CapabilityDeniedError:
    return CapabilityDeniedError(
        f"{url[:200]!r} was not fetched: {reason}",
        capability=str(capability),
        hint=f"grant {capability} only if the tool should reach it; nothing was sent there",
    )
