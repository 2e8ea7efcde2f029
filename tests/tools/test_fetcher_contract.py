"""What every `Fetcher` keeps: the fake that other tests use, and the real one."""

from collections.abc import Callable

import pytest

from ourcli.common.errors import CapabilityDeniedError
from ourcli.common.net import Gate
from ourcli.testing.web import FakeDialler, FakeFetcher, FakeResolver, page
from ourcli.tools.backends.fetch import HostFetcher
from ourcli.tools.capabilities import parse
from ourcli.tools.fetching import Fetched, FetchRequest
from ourcli.tools.ports import Fetcher

pytestmark = pytest.mark.anyio
URL = "http://site.test/a"
PAGE = Fetched(url=URL, status=200, content_type="text/plain", text="hello")


def fake() -> Fetcher:
    return FakeFetcher({URL: PAGE})


def real() -> Fetcher:
    resolver, dialler = FakeResolver({"site.test": [["93.184.216.34"]]}), FakeDialler({"*": [page("hello")]})
    return HostFetcher(Gate(network=True), resolver=resolver, dialler=dialler)


@pytest.mark.parametrize("make", [fake, real])
@pytest.mark.parametrize("grants", [[], ["net=other.test"], ["net=site.test:443"], ["clock"]])
async def test_a_host_that_is_not_granted_is_denied_by_its_name(make: Callable[[], Fetcher], grants: list[str]) -> None:
    with pytest.raises(CapabilityDeniedError) as caught:
        await make().fetch(FetchRequest(url=URL), frozenset(map(parse, grants)))

    assert caught.value.capability == "net=site.test:80"


@pytest.mark.parametrize("make", [fake, real])
@pytest.mark.parametrize("grant", ["net=site.test", "net=site.test:80"])
async def test_a_granted_page_is_given(make: Callable[[], Fetcher], grant: str) -> None:
    assert await make().fetch(FetchRequest(url=URL), frozenset({parse(grant)})) == PAGE
