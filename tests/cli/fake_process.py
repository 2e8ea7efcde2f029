"""A process of its own that runs a command line against a fake facade: for signals, pipes and terminals.

FAKE_HANGS=1 makes answers never end; FAKE_STUBBORN=1 makes closing never end either.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from ourcli.cli.invocation import Invocation
from ourcli.cli.main import finish
from ourcli.testing.service import FakeService


@asynccontextmanager
async def opener(invocation: Invocation) -> AsyncIterator[FakeService]:
    service = FakeService()
    service.hangs = bool(os.environ.get("FAKE_HANGS"))
    if os.environ.get("FAKE_LONG"):
        service.says = ["a line of the answer\n"] * 20_000
    try:
        yield service
    finally:
        sys.stderr.write("closed\n")
        sys.stderr.flush()
        if os.environ.get("FAKE_STUBBORN"):
            with anyio.CancelScope(shield=True):
                await anyio.sleep_forever()


if __name__ == "__main__":
    finish(sys.argv[1:], opener)
