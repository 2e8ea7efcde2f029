"""A web of a test: names, connections and pages are its own, and no packet is sent."""

from ourcli.common.net import Gate
from ourcli.testing.web import FakeDialler, FakeResolver, page
from ourcli.tools.backends.fetch import HostFetcher
from ourcli.tools.capabilities import Capability, parse
from ourcli.tools.fetching import Fetched, FetchRequest

PUBLIC = "93.184.216.34"
SITE = {"site.test": [[PUBLIC]]}


class Web:
    """A fetcher whose names and connections are a test's."""

    def __init__(
        self,
        *answers: bytes,
        names: dict[str, list[list[str]]] | None = None,
        network: bool = True,
        closed: tuple[str, ...] = (),
    ) -> None:
        self.resolver = FakeResolver(names if names is not None else SITE)
        self.dialler = FakeDialler({"*": answers or [page()]}, closed=closed)
        self.fetcher = HostFetcher(Gate(network=network), resolver=self.resolver, dialler=self.dialler)

    async def get(self, url: str, *grants: str, **more: object) -> Fetched:
        return await self.fetcher.fetch(FetchRequest(url=url, **more), rights(*grants))  # type: ignore[arg-type]  # a test's own fields


def rights(*grants: str) -> frozenset[Capability]:
    return frozenset(parse(f"net={one}") for one in grants)
