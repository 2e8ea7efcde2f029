"""One host for all attacks of a family: it must live through every one of them."""

from collections.abc import AsyncIterator

import pytest

from ourcli.app.worker import worker_command
from ourcli.tools.backends.wasm.compiled import CompiledCache
from ourcli.tools.backends.wasm.host import WasmHost
from ourcli.tools.backends.wasm.pool import HostOptions
from tests.support.arena import Arena, an_arena
from tests.support.guests import Workshop


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Keep one event loop for a file, in which its host lives."""
    return "asyncio"


@pytest.fixture(scope="module")
async def arena(
    compiled_modules: CompiledCache, workshop: Workshop, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Arena]:
    """Return an arena whose host does nothing for its guests."""
    host = WasmHost(worker_command(), compiled_modules, HostOptions(workers=1, idle_s=2.0))
    async with an_arena(host, workshop, tmp_path_factory.mktemp("arena")) as made:
        yield made
