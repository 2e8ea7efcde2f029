"""What guests ask of the host while they work: answered within their rights, bounded, and over when the call is."""

import json
from contextlib import suppress
from pathlib import Path

import anyio
import pytest

from ourcli.app.worker import worker_command
from ourcli.common.errors import ToolOutputError, ToolTimeoutError
from ourcli.testing.memory_access import FakeMemoryAccess
from ourcli.testing.web import FakeFetcher
from ourcli.tools.backends.wasm.compiled import CompiledCache
from ourcli.tools.backends.wasm.host import WasmHost
from ourcli.tools.capabilities import parse
from ourcli.tools.data import Json, JsonObject
from ourcli.tools.fetching import Fetched, FetchRequest
from ourcli.tools.host_services import GuestServices, reply_to
from ourcli.tools.plugins import Plugin
from ourcli.tools.ports import ToolContext
from ourcli.tools.protocol import Question
from tests.promises import promise
from tests.support.guests import Workshop, full_manifest

pytestmark = pytest.mark.anyio
ASKER = Path(__file__).parent / "guests" / "asker.c"
MODES = pytest.mark.parametrize("mode", ["persistent", "fresh"])
PAGE = "https://example.org/"
RIGHTS = ("net=example.org", "memory:read")


class SlowFetcher:
    """Fetches for ever."""

    async def fetch(self, request: FetchRequest, granted: object) -> Fetched:
        """Never come back."""
        await anyio.sleep_forever()
        raise AssertionError


async def said(host: WasmHost, plugin: Plugin, word: str, what: str = PAGE, **context: object) -> Json:
    (tool,) = host.tools(plugin)
    granted = frozenset(parse(one) for one in RIGHTS)
    fields: dict[str, object] = {"granted": granted, **context}
    given: dict[str, Json] = {"do": word, "what": what}
    return (await tool.invoke(given, ToolContext(**fields)))["said"]  # type: ignore[arg-type]  # fields of ToolContext


async def answered(method: str, params: JsonObject, *rights: str) -> dict[str, Json]:
    fetcher = FakeFetcher({PAGE: Fetched(url=PAGE, status=200, content_type="text/plain", text="a page")})
    services = GuestServices(fetcher, FakeMemoryAccess(found=[{"text": "a record"}]))
    context = ToolContext(granted=frozenset(parse(one) for one in rights))
    line = await reply_to(Question(id=1, method=method, params=params), 1, services, context)
    return dict(json.loads(line))


@promise("tools.host-calls.rights")
@pytest.mark.parametrize(
    ("method", "params", "rights", "code"),
    [
        ("host/exec", {}, RIGHTS, -32601),
        ("host/fetch", {}, RIGHTS, -32602),
        ("host/fetch", {"url": PAGE, "proxy": "x"}, RIGHTS, -32602),
        ("host/fetch", {"url": PAGE, "headers": {"a": 1}}, RIGHTS, -32602),
        ("host/fetch", {"url": PAGE, "mostBytes": 1 << 40}, RIGHTS, -32602),
        ("host/fetch", {"url": PAGE}, ("net=example.com", "memory:read"), -32001),
        ("host/memory.search", {"query": "x", "limit": 51}, RIGHTS, -32602),
        ("host/memory.search", {"query": "x" * 10_001}, RIGHTS, -32602),
        ("host/memory.search", {"query": "x"}, ("memory:write",), -32001),
    ],
)
async def test_what_a_guest_may_not_ask_is_refused_with_a_number_that_says_why(
    method: str, params: JsonObject, rights: tuple[str, ...], code: int
) -> None:
    error = (await answered(method, params, *rights))["error"]

    assert isinstance(error, dict)
    assert error["code"] == code


@promise("tools.host-calls.rights")
async def test_what_a_guest_may_ask_is_done() -> None:
    page = (await answered("host/fetch", {"url": PAGE}, "net=example.org"))["result"]
    found = (await answered("host/memory.search", {"query": "x"}, "memory:read"))["result"]

    assert page == {"url": PAGE, "status": 200, "contentType": "text/plain", "text": "a page", "redirects": []}
    assert found == {"records": [{"text": "a record"}]}


@pytest.fixture(params=["persistent", "fresh"])
def asker(request: pytest.FixtureRequest, workshop: Workshop, place: Path) -> Plugin:
    """Return the guest that asks, once with a warm instance and once with fresh ones."""
    mode = str(request.param)
    return workshop.plugin(place / mode, ASKER, full_manifest("asker", capabilities=RIGHTS, mode=mode))


@pytest.fixture
def served(compiled_modules: CompiledCache) -> WasmHost:
    """Return a host that serves guests; the test closes it."""
    fetcher = FakeFetcher({PAGE: Fetched(url=PAGE, status=200, content_type="text/plain", text="a page")})
    return WasmHost(
        worker_command(), compiled_modules, services=GuestServices(fetcher, FakeMemoryAccess(found=[{"id": "r"}]))
    )


@promise("tools.host-calls.answered")
async def test_a_guest_is_answered_on_the_channel_of_its_call(served: WasmHost, asker: Plugin) -> None:
    lines: list[str] = []
    heard = [
        str(await said(served, asker, "fetch")),
        str(await said(served, asker, "search", "x")),
        str(await said(served, asker, "unknown")),
        str(await said(served, asker, "wrong")),
        str(await said(served, asker, "fetch", "https://example.com/", log=lines.append)),
        str(await said(served, asker, "log", "a\x1b[31mb", log=lines.append)),
        str(await said(served, asker, "plain")),
    ]
    await served.aclose()

    for reply, words in zip(heard, ["a page", '"id":"r"', "-32601", "-32602", "-32001", "{}", "plain"], strict=True):
        assert words in reply
    assert lines[-1] == "ab"
    assert "example.com" in lines[0]


@promise("tools.host-calls.bounded")
async def test_a_guest_that_asks_too_often_or_after_its_answer_is_stopped_and_a_new_one_works(
    served: WasmHost, asker: Plugin
) -> None:
    with pytest.raises(ToolOutputError, match="called the host more than"):
        await said(served, asker, "insist")
    for word in ("impatient", "afterwards", "plain"):
        with suppress(ToolOutputError):  # it is noticed in this call, before the next one or in that one
            await said(served, asker, word)
    said_then = await said(served, asker, "plain")
    await served.aclose()

    assert said_then == "plain"


@promise("tools.host-calls.bounded")
async def test_the_time_of_a_host_call_is_the_tools(compiled_modules: CompiledCache, asker: Plugin) -> None:
    host = WasmHost(worker_command(), compiled_modules, services=GuestServices(SlowFetcher(), FakeMemoryAccess()))

    with pytest.raises(ToolTimeoutError):
        await said(host, asker, "fetch", timeout_s=0.2)
    impatient = await said(host, asker, "impatient")
    await host.aclose()

    assert impatient == "did not wait"
