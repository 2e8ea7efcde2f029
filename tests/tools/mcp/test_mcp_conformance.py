"""ourcli's MCP client in the protocol's own conformance suite."""

import subprocess
import sys

import pytest

from tests.promises import promise
from tools.conformance import PROGRAM, ROOT


@pytest.mark.slow
@promise("tools.mcp.conformance")
def test_the_client_passes_what_the_suite_requires() -> None:
    if not PROGRAM.exists():
        pytest.skip("the conformance suite is not here: run `make conformance` once, which fetches it")

    ran = subprocess.run(
        [sys.executable, "-m", "tools.conformance", "client"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stdout[-4_000:] + ran.stderr[-4_000:]
