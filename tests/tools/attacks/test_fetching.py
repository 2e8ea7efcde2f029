"""Guests that have the host fetch for them what they must not reach: this machine, its network, a rebound name."""

from collections.abc import AsyncIterator, Sequence

import pytest

from ourcli.app.worker import worker_command
from ourcli.common.net import Gate
from ourcli.testing.memory_access import FakeMemoryAccess
from ourcli.testing.web import FakeDialler, FakeResolver, page, redirect
from ourcli.tools.backends.fetch import HostFetcher
from ourcli.tools.backends.wasm.compiled import CompiledCache
from ourcli.tools.backends.wasm.host import WasmHost
from ourcli.tools.backends.wasm.pool import HostOptions
from ourcli.tools.capabilities import Capability
from ourcli.tools.fetching import Fetched, FetchRequest
from ourcli.tools.host_services import GuestServices
from ourcli.tools.ports import Fetcher
from tests.promises import promise
from tests.support.arena import Arena, Attack, an_arena
from tests.support.guests import Workshop

pytestmark = pytest.mark.anyio
PUBLIC = "93.184.216.34"
DENIED, WRONG, OFFLINE = -32001, -32602, -32002


class Switch:
    """Fetches as the test that runs now wants it, for one host serves them all."""

    def __init__(self) -> None:
        self.now: Fetcher = HostFetcher(Gate(network=False))

    async def fetch(self, request: FetchRequest, granted: frozenset[Capability]) -> Fetched:
        """Fetch once."""
        return await self.now.fetch(request, granted)


class Web:
    """Names and servers that a test makes up.

    Args:
        addresses: Of `site.test`, a list for each time it is looked up.
        answers: Of whatever is dialled, one connection after the other.
    """

    def __init__(self, addresses: Sequence[Sequence[str]], answers: Sequence[bytes]) -> None:
        self.resolver = FakeResolver({"site.test": addresses})
        self.dialler = FakeDialler({"*": answers})
        self.fetcher = HostFetcher(Gate(network=True), resolver=self.resolver, dialler=self.dialler)

    @property
    def dialled(self) -> set[str]:
        """The addresses that were dialled."""
        return {address for address, _ in self.dialler.dialled}


@pytest.fixture(scope="module")
def switch() -> Switch:
    """Return what decides how the host fetches."""
    return Switch()


@pytest.fixture(scope="module")
async def served(
    compiled_modules: CompiledCache, workshop: Workshop, tmp_path_factory: pytest.TempPathFactory, switch: Switch
) -> AsyncIterator[Arena]:
    """Return an arena whose host fetches for its guests."""
    services = GuestServices(switch, FakeMemoryAccess())
    host = WasmHost(worker_command(), compiled_modules, HostOptions(workers=1, idle_s=2.0), services)
    async with an_arena(host, workshop, tmp_path_factory.mktemp("served")) as made:
        yield made


def fetches(url: str, told: str, rights: tuple[str, ...] = ("net=site.test",)) -> Attack:
    """Return a guest that may fetch from `site.test` only, and wants something."""
    return Attack(guest="wire", word="fetch", path=url, told=told, rights=rights, limits={"timeout_ms": 20_000})


@promise("tools.attacks.network")
@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.0.0.1:{port}", "localhost:{port}", "169.254.169.254", "[::1]:{port}", "0.0.0.0:{port}"),
        *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[fd00:ec2::254]", "[fe80::1]", "10.0.0.1", "192.168.1.1"),
        *("2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "127.1", "127.0.1", "0", "127.0.0.1."),
        *(
            "site.test.",
            "other.test",
            "site.test@127.0.0.1:{port}",
            "site.test%00.other.test",
            "site.test\\\\@127.0.0.1",
        ),
        *("metadata.google.internal", "LOCALHOST", "①②⑦.⓪.⓪.①", "127。0。0。1"),
    ],
)
async def test_no_spelling_of_a_place_that_was_not_granted_is_looked_up_or_dialled(
    served: Arena, switch: Switch, host: str
) -> None:
    web = Web([[PUBLIC]], [page("stolen")])
    switch.now = web.fetcher

    await served.withstand(fetches(f"http://{host}/latest/meta-data", f"refused ({DENIED}|{WRONG})"))

    assert (web.resolver.asked, web.dialled) == ([], set())


@promise("tools.attacks.network")
@pytest.mark.parametrize("scheme", ["file", "ftp", "gopher", "data", "ws", "javascript", "unix", "HTTP+unix", ""])
async def test_no_other_scheme_is_fetched(served: Arena, switch: Switch, scheme: str) -> None:
    web = Web([[PUBLIC]], [page("stolen")])
    switch.now = web.fetcher

    await served.withstand(fetches(f"{scheme}://site.test/etc/passwd", f"refused {WRONG}"))

    assert web.dialled == set()


@promise("tools.attacks.network")
@pytest.mark.parametrize(
    "addresses",
    [
        *(["127.0.0.1"], ["::1"], ["169.254.169.254"], ["10.1.2.3"], ["fd00::1"], ["0.0.0.0"], ["::ffff:127.0.0.1"]),
        *([PUBLIC, "127.0.0.1"], ["100.64.0.1"], ["224.0.0.1"], ["64:ff9b::7f00:1"], ["2002:7f00:1::"]),
    ],
    ids=",".join,
)
async def test_a_granted_name_that_leads_to_this_network_is_not_dialled(
    served: Arena, switch: Switch, addresses: list[str]
) -> None:
    web = Web([addresses], [page("stolen")])
    switch.now = web.fetcher

    await served.withstand(fetches("http://site.test/", f"refused {DENIED}"))

    assert web.dialled == set()


@promise("tools.attacks.network")
@pytest.mark.parametrize(
    "location",
    [
        *(
            "http://127.0.0.1:9/",
            "http://169.254.169.254/latest/",
            "http://[::1]/",
            "//127.0.0.1/",
            "http://other.test/",
        ),
        *("http://2130706433/", "file:///etc/passwd", "http://site.test@127.0.0.1/"),
    ],
)
async def test_a_redirect_leads_nowhere_that_was_not_granted(served: Arena, switch: Switch, location: str) -> None:
    web = Web([[PUBLIC]], [redirect(location), page("stolen")])
    switch.now = web.fetcher

    await served.withstand(fetches("http://site.test/", f"refused ({DENIED}|{WRONG}|-32000)"))

    assert web.dialled == {PUBLIC}
    assert len(web.dialler.dialled) == 1


@promise("tools.attacks.network")
async def test_a_name_that_is_rebound_between_two_looks_is_dialled_as_it_was_judged(
    served: Arena, switch: Switch
) -> None:
    web = Web([[PUBLIC], ["127.0.0.1"]], [redirect("http://site.test/again"), page("stolen")])
    switch.now = web.fetcher

    await served.withstand(fetches("http://site.test/", f"refused {DENIED}"))

    assert web.dialled == {PUBLIC}


@promise("tools.attacks.network")
async def test_without_the_network_or_the_right_nothing_is_looked_up(served: Arena, switch: Switch) -> None:
    web = Web([[PUBLIC]], [page("fair")])
    switch.now = HostFetcher(Gate(network=False), resolver=web.resolver, dialler=web.dialler)
    await served.withstand(fetches("http://site.test/", f"refused {OFFLINE}"))
    switch.now = web.fetcher

    await served.withstand(fetches("http://site.test/", f"refused {DENIED}", rights=()))

    assert (web.resolver.asked, web.dialled) == ([], set())


@promise("tools.attacks.network")
async def test_with_real_connections_the_listener_of_this_machine_is_not_reached(served: Arena, switch: Switch) -> None:
    switch.now = HostFetcher(Gate(network=True))

    for host in ("127.0.0.1", "localhost", "[::1]"):
        await served.withstand(fetches(f"http://{host}:{{port}}/", f"refused {DENIED}"))


@promise("tools.attacks.network")
async def test_what_was_granted_is_fetched_after_all_that(served: Arena, switch: Switch) -> None:
    web = Web([[PUBLIC]], [page("fair")])
    switch.now = web.fetcher

    await served.withstand(fetches("http://site.test/", "fetched 0"))

    assert web.dialled == {PUBLIC}
