"""Joins the host's fetch to the gate."""

from anyio import to_thread

from ourcli.common.net import Gate
from ourcli.tools.capabilities import Capability
from ourcli.tools.fetching import Fetched, FetchRequest
from ourcli.tools.ports import Fetcher


class LateFetcher:
    """The host's fetch, made when a page is first asked for: its library takes half a second to import.

    Args:
        gate: Decides about the network.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._fetcher: Fetcher | None = None

    async def fetch(self, request: FetchRequest, granted: frozenset[Capability]) -> Fetched:
        """Fetch once; see `ourcli.tools.ports.Fetcher`."""
        if self._fetcher is None:
            self._fetcher = await to_thread.run_sync(_opened, self._gate)
        return await self._fetcher.fetch(request, granted)


def _opened(gate: Gate) -> Fetcher:
    from ourcli.tools.backends.fetch import HostFetcher  # deferred: only a tool that fetches pays for the HTTP library

    return HostFetcher(gate)
