"""What a guest may ask its host for while it works on a call, on the channel of that call.

A guest writes a request to stdout and reads the answer from stdin, a line each, and may do so until it answers:

    {"jsonrpc": "2.0", "id": "a", "method": "host/fetch", "params": {"url": "https://example.org/"}}
    {"jsonrpc": "2.0", "id": "a", "result": {"status": 200, "text": "...", ...}}

| method | needs | params | result |
|---|---|---|---|
| `host/log` | nothing | `message` | `{}`; the line goes to the log of the call |
| `host/fetch` | `net=HOST` | `url`; `method`, `headers`, `body`, `mostBytes` | `url`, `status`, `text`, ... |
| `host/memory.search` | `memory:read` | `query`; `limit` (10, at most 50) | `records`, the best first |

Errors are answers too: -32601 no such method, -32602 wrong params, -32001 the right was not granted, -32002 the network
is off, -32000 anything else. The time a host call takes counts as the tool's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ourcli.common.errors import CapabilityDeniedError, InvalidInputError, NetworkOffError, OurcliError, ToolInputError
from ourcli.tools.capabilities import Capability, CapabilityKind, missing
from ourcli.tools.data import JsonObject
from ourcli.tools.fetching import FETCH_BYTES, FetchRequest
from ourcli.tools.logtext import harmless
from ourcli.tools.ports import Fetcher, HostServices, MemoryAccess, ToolContext
from ourcli.tools.protocol import INVALID_PARAMS, METHOD_NOT_FOUND, Id, Question, refusal, success

FETCH: Final = "host/fetch"
LOG: Final = "host/log"
MEMORY_SEARCH: Final = "host/memory.search"
MOST_FOUND: Final = 50
MOST_QUERY: Final = 10_000
_DENIED: Final = -32001
_OFFLINE: Final = -32002
_FAILED: Final = -32000


@dataclass(frozen=True, slots=True)
class GuestServices:
    """What the host does for guests (`ourcli.tools.ports.HostServices`).

    Attributes:
        fetcher: Fetches pages; it holds each hop against the rights.
        memory: Searches.
    """

    fetcher: Fetcher
    memory: MemoryAccess

    async def fetch(self, params: JsonObject, context: ToolContext) -> JsonObject:
        """Fetch a page for a guest.

        Raises:
            ToolInputError: The params are wrong.
            OurcliError: What the fetcher raises.
        """
        given = _Params(params, ("url", "method", "headers", "body", "mostBytes"))
        fetched = await self.fetcher.fetch(
            FetchRequest(
                url=given.text("url"),
                method=given.text("method", "GET"),
                headers=given.texts("headers"),
                body=given.text("body").encode() if "body" in params else None,
                most_bytes=given.number("mostBytes", FETCH_BYTES, most=FETCH_BYTES),
            ),
            context.granted,
        )
        return {
            "url": fetched.url,
            "status": fetched.status,
            "contentType": fetched.content_type,
            "text": fetched.text,
            "redirects": list(fetched.redirects),
        }

    async def memory_search(self, params: JsonObject, context: ToolContext) -> JsonObject:
        """Search the memory of the call's project for a guest.

        Raises:
            CapabilityDeniedError: `memory:read` is not granted.
            ToolInputError: The params are wrong.
        """
        right = Capability(CapabilityKind.MEMORY_READ)
        if missing((right,), context.granted):
            raise CapabilityDeniedError("the tool may not read the memory", capability=str(right))
        given = _Params(params, ("query", "limit"))
        query, limit = given.text("query"), given.number("limit", 10, most=MOST_FOUND)
        if len(query) > MOST_QUERY:
            raise ToolInputError(f"'query' is longer than {MOST_QUERY} characters")
        found = await self.memory.search(query, project=context.project, limit=limit)
        return {"records": [dict(record) for record in found]}


async def reply_to(question: Question, identifier: Id, services: HostServices, context: ToolContext) -> bytes:
    """Return the line that answers what a guest asked, whatever came of it."""
    serving = {FETCH: services.fetch, MEMORY_SEARCH: services.memory_search}.get(question.method)
    if serving is None:
        return no_such_method(question, identifier)
    try:
        return success(identifier, await serving(question.params, context))
    except OurcliError as exc:
        context.log(harmless(f"{question.method} was refused: {exc.message}"))
        return refusal(identifier, _code(exc), harmless(exc.message))
    except ValueError as exc:  # text that no JSON can carry
        return refusal(identifier, _FAILED, harmless(f"the answer cannot be told: {exc}"))


def no_such_method(question: Question, identifier: Id) -> bytes:
    """Return the line that says the host does not do that."""
    method = harmless(question.method)[:80]
    return refusal(identifier, METHOD_NOT_FOUND, f"the host has no method {method!r} for this tool")


def _code(failure: OurcliError) -> int:
    if isinstance(failure, CapabilityDeniedError):
        return _DENIED
    if isinstance(failure, NetworkOffError):
        return _OFFLINE
    return INVALID_PARAMS if isinstance(failure, (ToolInputError, InvalidInputError)) else _FAILED


class _Params:
    """The params of a host call, looked at one by one.

    Args:
        given: What the guest wrote.
        known: The names there are.

    Raises:
        ToolInputError: Another name is there.
    """

    def __init__(self, given: JsonObject, known: tuple[str, ...]) -> None:
        self._given = given
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise ToolInputError(f"no parameter is called {unknown[0][:64]!r}")

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; without a default it must be there."""
        value = self._given.get(name, default)
        if not isinstance(value, str):
            raise ToolInputError(f"{name!r} must be a text")
        return value

    def texts(self, name: str) -> Mapping[str, str]:
        """Return an object of texts, empty when it is not there."""
        value = self._given.get(name, {})
        found = {key: one for key, one in value.items() if isinstance(one, str)} if isinstance(value, dict) else None
        if found is None or not isinstance(value, dict) or len(found) != len(value):
            raise ToolInputError(f"{name!r} must be an object of texts")
        return found

    def number(self, name: str, default: int, *, most: int) -> int:
        """Return a whole number from 1 to `most`."""
        value = self._given.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise ToolInputError(f"{name!r} must be a whole number from 1 to {most}")
        return value
