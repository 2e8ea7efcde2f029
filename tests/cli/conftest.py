"""Run command lines in this process, with a fake facade."""

import io
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ourcli.cli.invocation import Invocation
from ourcli.cli.main import execute
from ourcli.testing.service import FakeService
from tests.cli.running import Ran, Run

__all__ = ["Ran", "Run", "run", "service"]


@pytest.fixture
def service() -> FakeService:
    """Return the facade that `run` talks to."""
    return FakeService()


@pytest.fixture
def run(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs a command line: `run("ask", "why?", stdin="...")`."""

    @asynccontextmanager
    async def opener(invocation: Invocation) -> AsyncIterator[FakeService]:
        service.project = invocation.project
        async with service:
            yield service

    def call(*arguments: str, stdin: str = "") -> Ran:
        out, err = io.StringIO(), io.StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            code = execute(list(arguments), opener)
        return Ran(code, out.getvalue(), err.getvalue())

    return call
