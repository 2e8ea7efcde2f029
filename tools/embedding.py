"""This installation's embedding model, for tools."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from ourcli.ai.embed import EmbeddingService
from ourcli.app.configuration import load_checked, working_folder
from ourcli.app.wiring import Rooms
from ourcli.common.clock import SystemClock
from ourcli.common.net import Gate
from ourcli.config.flags import network_allowed
from ourcli.config.load import NO_OVERRIDES
from ourcli.config.locations import Home
from ourcli.core.bus import Bus


@asynccontextmanager
async def installed_embedder() -> AsyncIterator[EmbeddingService]:
    """Open the embedding model that settings name, with its cache; no network."""
    environment = dict(os.environ)
    home = Home.from_environment(environment)
    loaded = load_checked(home, environment, working_folder(), NO_OVERRIDES)
    async with AsyncExitStack() as stack:
        rooms = Rooms(
            home=home, loaded=loaded, gate=Gate(network_allowed({})), clock=SystemClock(), bus=Bus(), stack=stack
        )
        yield rooms.embedding
