"""The one place where the command line opens the facade."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ourcli.cli.invocation import Invocation

if TYPE_CHECKING:
    from ourcli.cli.ports import Facade


@asynccontextmanager
async def open_service(invocation: Invocation) -> AsyncIterator["Facade"]:
    """Open the facade with the options of this invocation."""
    from ourcli.app.lifetime import open_service as open_facade  # deferred: loads every room; `--help` must not
    from ourcli.config.load import Overrides

    overrides = Overrides(project=invocation.project)
    async with open_facade(overrides, warn=invocation.diagnostics.warning) as service:
        yield service
