"""How a fetch reaches an address that was checked: names are looked up once, and never again below."""

import socket
import ssl
from collections.abc import Iterable, Sequence
from typing import Any

import anyio
import httpcore2
from anyio.abc import ByteStream
from anyio.streams.tls import TLSAttribute, TLSStream

from ourcli.common.errors import ToolError
from ourcli.tools.ports import Dialler

CONNECT_S = 5.0
MOST_ADDRESSES = 4
_BROKEN = (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError)


class SystemResolver:
    """Looks names up as this machine does."""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of a name, the best one first; see `ourcli.tools.ports.Resolver`."""
        try:
            found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as exc:
            raise ToolError(f"the name {host!r} cannot be looked up: {exc}", hint="is the name right?") from exc
        return list(dict.fromkeys(str(address[0]) for *_, address in found))


class SystemDialler:
    """Opens TCP connections."""

    async def dial(self, address: str, port: int) -> ByteStream:
        """Connect to an address; see `ourcli.tools.ports.Dialler`."""
        return await anyio.connect_tcp(address, port)


class Pinned(httpcore2.AsyncNetworkBackend):
    """Connect to addresses that were checked, whatever name the layers above ask for.

    Args:
        dialler: Opens connections.
        addresses: Tried in this order.
    """

    def __init__(self, dialler: Dialler, addresses: Sequence[str]) -> None:
        self._dialler, self._addresses = dialler, addresses[:MOST_ADDRESSES]

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109  # the library's signature; every address has its own limit
        local_address: str | None = None,  # noqa: ARG002  # the library's signature
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002  # the library's signature
    ) -> "Wire":
        """Connect to the first address that takes it; `host` is only named in errors."""
        reason = "it has no address"
        for address in self._addresses:
            try:
                with anyio.fail_after(CONNECT_S):
                    return Wire(await self._dialler.dial(address, port))
            except TimeoutError:
                reason = f"{address} does not answer"
            except _BROKEN as exc:
                reason = str(exc) or type(exc).__name__
        raise httpcore2.ConnectError(f"{host} cannot be reached: {reason}")


class Wire(httpcore2.AsyncNetworkStream):
    """A connection as the HTTP library wants it. Time limits are set around the whole fetch."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002, ASYNC109
        """Return the next bytes, b"" at the end."""
        try:
            return await self._stream.receive(max_bytes)
        except anyio.EndOfStream:
            return b""
        except _BROKEN as exc:
            raise httpcore2.ReadError(str(exc)) from exc

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109
        """Send bytes."""
        try:
            if buffer:
                await self._stream.send(buffer)
        except _BROKEN as exc:
            raise httpcore2.WriteError(str(exc)) from exc

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109
    ) -> "Wire":
        """Encrypt; the certificate must be one of `server_hostname`, which is the URL's host."""
        try:
            secure = await TLSStream.wrap(
                self._stream, ssl_context=ssl_context, hostname=server_hostname, standard_compatible=False
            )
        except (*_BROKEN, anyio.EndOfStream) as exc:
            await anyio.aclose_forcefully(self._stream)
            raise httpcore2.ConnectError(f"no encrypted connection to {server_hostname}: {exc}") from exc
        return Wire(secure)

    def get_extra_info(self, info: str) -> object:
        """Return the TLS object; nothing else is asked for."""
        if info != "ssl_object":
            return None
        return self._stream.extra(TLSAttribute.ssl_object, None)  # noqa: S610  # no database
