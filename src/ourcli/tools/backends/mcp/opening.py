"""Opens a connection to a server through the SDK's client, whichever way it is reached."""

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import mcp_types
from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.client.session import IncomingMessage
from mcp.client.streamable_http import streamable_http_client

from ourcli import __version__
from ourcli.common.net import Gate
from ourcli.tools.backends.fetch_dialling import SystemDialler, SystemResolver
from ourcli.tools.backends.mcp.auth import open_auth
from ourcli.tools.backends.mcp.http import PURPOSE, JudgedNetwork, judged_client
from ourcli.tools.backends.mcp.peer import Live
from ourcli.tools.backends.mcp.stdio import environment_for, stdio_streams
from ourcli.tools.logtext import harmless
from ourcli.tools.ports import Dialler, Resolver
from ourcli.tools.servers import Browser, McpServer

PROBE_S: Final = 8.0
"""Servers of before 2026-07-28 may leave the first question unanswered; then the old greeting is tried."""
MOST_SSE_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """Everything that connections need.

    Attributes:
        gate: Knows whether the network is on.
        tokens: Folder of the tokens of servers over HTTP.
        browser: Shows the page of a login; None when nobody can log in now.
        environment: The user's.
        resolver: Looks names up.
        dialler: Opens connections.
    """

    gate: Gate
    tokens: Path
    browser: Browser | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    resolver: Resolver = field(default_factory=SystemResolver)
    dialler: Dialler = field(default_factory=SystemDialler)

    @asynccontextmanager
    async def open(self, server: McpServer, live: Live) -> AsyncGenerator[Client, None]:
        """Open a connection.

        Raises:
            NetworkOffError: The server is elsewhere and the network is off.
            ToolError: Its program cannot be started.
        """
        async with AsyncExitStack() as stack:
            transport: object
            if server.command:
                environment = environment_for(server.env, self.environment)
                transport = stdio_streams(server.command, environment, said=live.say, ended=live.end)
            else:
                host = urlsplit(server.url).hostname or ""
                self.gate.allow(PURPOSE, host)
                tokens = self.tokens / f"{server.name}.json"
                auth = await stack.enter_async_context(
                    open_auth(server, tokens, browser=self.browser, environment=self.environment)
                )
                network = JudgedNetwork(host, self.gate, self.resolver, self.dialler)
                http = await stack.enter_async_context(judged_client(network, auth))
                transport = streamable_http_client(server.url, http_client=http, max_sse_event_size=MOST_SSE_BYTES)
            yield await stack.enter_async_context(_client(transport, live))


def _client(transport: object, live: Live) -> Client:
    async def hear(message: IncomingMessage) -> None:
        if isinstance(message, mcp_types.ToolListChangedNotification):
            live.changed = True

    async def log(params: mcp_types.LoggingMessageNotificationParams) -> None:
        live.log(harmless(f"{params.level}: {params.data}"))

    return Client(
        transport,  # type: ignore[arg-type]  # one of the SDK's transports, or one with its shape
        read_timeout_seconds=PROBE_S,
        message_handler=hear,
        logging_callback=log,
        elicitation_callback=_decline,
        client_info=mcp_types.Implementation(name="ourcli", version=__version__),
        cache=None,
    )


async def _decline(
    context: ClientRequestContext,  # noqa: ARG001  # the SDK's signature
    params: mcp_types.ElicitRequestParams,  # noqa: ARG001  # the same
) -> mcp_types.ElicitResult | mcp_types.ErrorData:
    """Answer for the person: a server that wants to ask something gets no answer."""
    return mcp_types.ElicitResult(action="decline")
