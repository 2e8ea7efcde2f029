"""A server over HTTP: every connection asks the gate, and goes to an address that was judged.

The host that the user named may be anywhere. Other hosts, which the server names when it asks for a login, must be on
the public Internet. No proxy and no cookies; what comes is not packed and has a bound.
"""

import ssl
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

import anyio
import httpcore2
import httpx2

from ourcli.common.errors import NetworkOffError, ToolError
from ourcli.common.net import Gate, is_loopback
from ourcli.tools.backends.fetch_addresses import parse_address, special
from ourcli.tools.backends.fetch_dialling import Pinned, Wire
from ourcli.tools.ports import Dialler, Resolver

PURPOSE: Final = "mcp"
MOST_BODY: Final = 16 * 1024 * 1024
READ_S: Final = 300.0
CONNECT_S: Final = 20.0


class JudgedNetwork(httpcore2.AsyncNetworkBackend):
    """Connects to the server that the user named, and to public hosts that it names.

    Args:
        named: The host of the server.
        gate: Knows whether the network is on.
        resolver: Looks names up.
        dialler: Opens connections.
    """

    def __init__(self, named: str, gate: Gate, resolver: Resolver, dialler: Dialler) -> None:
        self._named, self._gate = named, gate
        self._resolver, self._dialler = resolver, dialler

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the library's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Wire:
        """Look the name up once, judge what was found, and dial it.

        Raises:
            ConnectError: It must not be reached, or cannot be.
        """
        try:
            self._gate.allow(PURPOSE, host)
        except NetworkOffError as exc:
            raise httpcore2.ConnectError(exc.message) from exc
        literal = parse_address(host)
        found = [str(literal)] if literal else await self._looked_up(host, port)
        for text in found if host != self._named else ():
            address = parse_address(text)
            word = "no address" if address is None else special(address)
            if word and not (word == "loopback" and is_loopback(host) and is_loopback(self._named)):
                raise httpcore2.ConnectError(f"{host} leads to {text}, which is {word}; only the named server may")
        pinned = Pinned(self._dialler, found)
        return await pinned.connect_tcp(host, port, timeout, local_address, socket_options)

    async def _looked_up(self, host: str, port: int) -> list[str]:
        try:
            return list(await self._resolver.resolve(host, port))
        except ToolError as exc:
            raise httpcore2.ConnectError(exc.message) from exc

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await anyio.sleep(seconds)


class JudgedTransport(httpx2.AsyncBaseTransport):
    """Carries the SDK's requests over a judged network.

    Args:
        network: Connects.
        trust: Whose certificates are believed; None for those that this machine believes.
    """

    def __init__(self, network: JudgedNetwork, trust: ssl.SSLContext | None = None) -> None:
        self._pool = httpcore2.AsyncConnectionPool(trust, network_backend=network, max_connections=16)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request and return its answer, not read yet."""
        url = httpcore2.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        sent = httpcore2.Request(
            request.method, url, headers=request.headers.raw, content=request.stream, extensions=request.extensions
        )
        try:
            answer = await self._pool.handle_async_request(sent)
        except tuple(_FOREIGN) as exc:
            raise _own(exc) from exc
        headers = [(name, value) for name, value in answer.headers if name.lower() != b"set-cookie"]
        if any(name.lower() == b"content-encoding" and value.strip() != b"identity" for name, value in headers):
            await answer.aclose()
            raise httpx2.DecodingError("the answer is packed, which nobody asked for")
        streamed = any(name.lower() == b"content-type" and b"event-stream" in value.lower() for name, value in headers)
        return httpx2.Response(answer.status, headers=headers, stream=_Bounded(answer, None if streamed else MOST_BODY))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


class _Bounded(httpx2.AsyncByteStream):
    """The bytes of an answer, up to a bound."""

    def __init__(self, answer: httpcore2.Response, most_bytes: int | None) -> None:
        self._answer, self._most = answer, most_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        came = 0
        try:
            async for chunk in self._answer.aiter_stream():
                came += len(chunk)
                if self._most is not None and came > self._most:
                    raise httpx2.ReadError(f"the answer is larger than {self._most} bytes")
                yield chunk
        except tuple(_FOREIGN) as exc:
            raise _own(exc) from exc

    async def aclose(self) -> None:
        await self._answer.aclose()


_FOREIGN: Final[dict[type[Exception], type[httpx2.TransportError]]] = {
    httpcore2.ConnectTimeout: httpx2.ConnectTimeout,
    httpcore2.ReadTimeout: httpx2.ReadTimeout,
    httpcore2.TimeoutException: httpx2.TimeoutException,
    httpcore2.ConnectError: httpx2.ConnectError,
    httpcore2.ReadError: httpx2.ReadError,
    httpcore2.WriteError: httpx2.WriteError,
    httpcore2.NetworkError: httpx2.NetworkError,
    httpcore2.LocalProtocolError: httpx2.LocalProtocolError,
    httpcore2.RemoteProtocolError: httpx2.RemoteProtocolError,
    httpcore2.ProtocolError: httpx2.ProtocolError,
    httpcore2.UnsupportedProtocol: httpx2.UnsupportedProtocol,
}


def _own(exc: Exception) -> httpx2.TransportError:
    """Return an error of the HTTP library below as the one above raises it."""
    for foreign, own in _FOREIGN.items():
        if isinstance(exc, foreign):
            return own(str(exc) or type(exc).__name__)
    return httpx2.TransportError(str(exc))


def judged_client(
    network: JudgedNetwork, auth: httpx2.Auth | None = None, trust: ssl.SSLContext | None = None
) -> httpx2.AsyncClient:
    """Return the client that the SDK speaks through."""
    return httpx2.AsyncClient(
        transport=JudgedTransport(network, trust),
        auth=auth,
        trust_env=False,
        headers={"user-agent": "ourcli", "accept-encoding": "identity"},
        timeout=httpx2.Timeout(CONNECT_S, read=READ_S),
    )
