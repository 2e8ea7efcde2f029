"""Joins the host's fetch to the gate."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ourcli.common.net import Gate
    from ourcli.tools.ports import Fetcher


def open_fetcher(gate: "Gate") -> "Fetcher":
    """Return what fetches pages for tools."""
    from ourcli.tools.backends.fetch import HostFetcher  # deferred: only a tool that fetches pays for the HTTP library

    return HostFetcher(gate)
