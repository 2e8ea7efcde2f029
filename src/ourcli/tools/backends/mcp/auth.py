"""Logins of servers over HTTP: OAuth 2.1 with PKCE through the SDK, a loopback redirect, tokens in a private file."""

import json
import logging
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import parse_qs, urlsplit

import anyio
from anyio.abc import Listener, SocketAttribute, SocketStream
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl, BaseModel, ConfigDict, ValidationError

from ourcli.common.errors import DeniedError
from ourcli.common.files import atomic_write
from ourcli.common.net import is_loopback
from ourcli.tools.servers import Browser, McpServer

LOGIN_S: Final = 300.0
_log = logging.getLogger(__name__)
_MOST_HEAD: Final = 16 * 1024
_SEEN: Final = b"The login is done. You can close this page.\n"


class _Kept(BaseModel):
    """What stands in the file of a server."""

    model_config = ConfigDict(extra="forbid")

    url: str
    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None


class TokenFile:
    """The SDK's storage of tokens: one private file a server, which counts for one URL only.

    Args:
        path: The file.
        server: Whose tokens they are; a client that was agreed beforehand is taken from it.
        secret: That client's secret, or "".
        redirect: Where logins come back to; "" when nobody can log in now.
    """

    def __init__(self, path: Path, server: McpServer, *, secret: str = "", redirect: str = "") -> None:
        self._path, self._server, self._secret, self._redirect = path, server, secret, redirect
        self._kept = _Kept(url=server.url) if redirect else self._read()

    def _read(self) -> _Kept:
        try:
            kept = _Kept.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return _Kept(url=self._server.url)
        except (OSError, ValidationError) as exc:
            _log.warning("the login in %s cannot be read, so it is asked for again: %s", self._path, type(exc).__name__)
            return _Kept(url=self._server.url)
        return kept if kept.url == self._server.url else _Kept(url=self._server.url)

    def _write(self) -> None:
        with atomic_write(self._path) as stream:
            stream.write(json.dumps(self._kept.model_dump(mode="json", exclude_none=True)).encode())

    async def get_tokens(self) -> OAuthToken | None:
        """Return the tokens, None before the first login."""
        return self._kept.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep tokens."""
        self._kept.tokens = tokens
        self._write()

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """Return under what this client is known to the server that gives tokens, None to register."""
        if not self._server.client_id or self._server.client_id.startswith("https://"):
            return self._kept.client
        return OAuthClientInformationFull(
            client_id=self._server.client_id,
            client_secret=self._secret or None,
            redirect_uris=[AnyUrl(self._redirect)] if self._redirect else None,
            token_endpoint_auth_method="client_secret_basic" if self._secret else "none",  # a method's name
        )

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Keep what a registration gave."""
        self._kept.client = client_info
        self._write()


class Door:
    """The loopback address to which a browser brings the code of a login."""

    def __init__(self, listener: Listener[SocketStream]) -> None:
        self._listener = listener
        self._came = anyio.Event()
        self._result: AuthorizationCodeResult | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._listener.extra(SocketAttribute.local_port)}/callback"  # noqa: S610  # no database

    async def serve(self) -> None:
        """Answer browsers."""
        await self._listener.serve(self._answer)

    async def _answer(self, stream: SocketStream) -> None:
        head = b""
        async with stream:
            with anyio.move_on_after(5):
                try:
                    while b"\r\n\r\n" not in head and len(head) < _MOST_HEAD:
                        head += await stream.receive()
                    found = _code_in(head)
                    status, text = (b"200 OK", _SEEN) if found else (b"404 Not Found", b"nothing here\n")
                    told = (
                        b"HTTP/1.1 %b\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
                    )
                    await stream.send(told % (status, len(text), text))
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    return
                if found is not None and self._result is None:
                    self._result = found
                    self._came.set()

    async def wait(self) -> AuthorizationCodeResult:
        """Return what the browser brought; the next login starts anew.

        Raises:
            DeniedError: Nobody logged in in time, or the login was refused.
        """
        with anyio.move_on_after(LOGIN_S):
            await self._came.wait()
        result, self._result, self._came = self._result, None, anyio.Event()
        if result is None or not result.code:
            raise DeniedError("nobody logged in", hint="run the command again")
        return result


def _code_in(head: bytes) -> AuthorizationCodeResult | None:
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(words) != 3 or words[0] != "GET":  # method, target, version
        return None
    target = urlsplit(words[1])
    if target.path != "/callback":
        return None
    told = {name: values[0] for name, values in parse_qs(target.query).items()}
    return AuthorizationCodeResult(code=told.get("code", ""), state=told.get("state"), iss=told.get("iss"))


@asynccontextmanager
async def open_auth(
    server: McpServer, tokens: Path, *, browser: Browser | None, environment: Mapping[str, str] = os.environ
) -> AsyncGenerator[OAuthClientProvider, None]:
    """Open what logs in at a server when it asks for it.

    Args:
        server: The server.
        tokens: The file of its tokens.
        browser: Shows the page of a login; None when nobody can log in now: kept tokens are used and renewed.
        environment: Holds the secret of a client that was agreed beforehand.
    """
    secret = environment.get(server.secret_env, "") if server.secret_env else ""
    if browser is None:
        yield _provider(server, TokenFile(tokens, server, secret=secret), "http://127.0.0.1/callback", _nobody)
        return
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    async with listener, anyio.create_task_group() as tasks:
        door = Door(listener.listeners[0])
        tasks.start_soon(door.serve)
        shower = browser

        async def show(url: str) -> None:
            parts = urlsplit(url)
            if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
                raise DeniedError(f"the page of the login is not encrypted: {url[:200]!r}")
            if not await shower.show(url):
                raise DeniedError("nobody agreed to log in", hint="run the command again")

        storage = TokenFile(tokens, server, secret=secret, redirect=door.url)
        yield _provider(server, storage, door.url, show, door)
        tasks.cancel_scope.cancel()


class _Show(Protocol):
    async def __call__(self, url: str, /) -> None: ...


async def _nobody(url: str, /) -> None:  # noqa: ARG001  # the SDK's signature
    raise DeniedError("the server asks for a login", hint="log in with `ourcli mcp add NAME URL` on a terminal")


def _provider(
    server: McpServer, storage: TokenFile, redirect: str, show: _Show, door: Door | None = None
) -> OAuthClientProvider:
    metadata = OAuthClientMetadata(client_name="ourcli", redirect_uris=[AnyUrl(redirect)], application_type="native")
    document = server.client_id if server.client_id.startswith("https://") else None
    return OAuthClientProvider(
        server.url,
        metadata,
        storage,
        redirect_handler=show,
        callback_handler=door.wait if door else None,
        client_metadata_url=document,
    )
