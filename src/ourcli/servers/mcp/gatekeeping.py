"""Who may talk to the HTTP server: programs of this machine that know the token, never a web page.

A page in a browser can reach a loopback port, and through DNS rebinding it can do so under a name of its own; it
sends that name as Host and its origin as Origin (MCP, Streamable HTTP, security warning). Both must be this machine's.
"""

import hmac
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

PATH: Final = "/mcp"
_INVALID_REQUEST: Final = -32600
_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True)
class _Refusal:
    status: int
    message: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Gatekeeper:
    """Let requests through to an application, or refuse them before a byte of their body is read.

    Args:
        application: What answers.
        token: The bearer token that every request must carry.
        port: Where the server listens.
    """

    def __init__(self, application: Application, *, token: str, port: int) -> None:
        self._application = application
        self._token = token.encode()
        self._hosts = {f"{name}:{port}".encode() for name in _NAMES} | (
            {name.encode() for name in _NAMES} if port == 80 else set()
        )
        self._origins = {b"http://" + host for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        refusal = self._refusal(str(scope["path"]), scope["headers"])
        if refusal is None:
            await self._application(scope, receive, send)
        else:
            await _answer(refusal, send)

    def _refusal(self, path: str, headers: Iterable[tuple[bytes, bytes]]) -> _Refusal | None:
        given = list(headers)
        hosts = [value.lower() for name, value in given if name == b"host"]
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return _Refusal(403, "this Host is not served")
        if any(value.lower() not in self._origins for name, value in given if name == b"origin"):
            return _Refusal(403, "this Origin is not served")
        if path != PATH:
            return _Refusal(404, f"there is nothing but {PATH}")
        if not self._knows_token([value for name, value in given if name == b"authorization"]):
            return _Refusal(401, "a bearer token is needed", ((b"www-authenticate", b'Bearer realm="ourcli"'),))
        return None

    def _knows_token(self, values: list[bytes]) -> bool:
        scheme, _, token = values[0].partition(b" ") if len(values) == 1 else (b"", b"", b"")
        return hmac.compare_digest(token.strip(), self._token) and scheme.lower() == b"bearer"


async def _answer(refusal: _Refusal, send: Send) -> None:
    error = {"code": _INVALID_REQUEST, "message": refusal.message}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *refusal.headers]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
