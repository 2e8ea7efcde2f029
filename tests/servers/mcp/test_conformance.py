"""The protocol's own conformance suite; `make conformance` fetches it and runs this half too."""

import pytest

from tests.promises import promise
from tools import conformance


@pytest.mark.slow
@promise("servers.mcp.conformance")
def test_all_that_the_newest_revision_requires_of_servers_passes() -> None:
    if not conformance.PROGRAM.exists():
        pytest.skip("the suite is not here: make conformance")

    assert conformance.server() == 0
