"""One host for all attacks of a family: it must live through every one of them."""

from collections.abc import AsyncIterator

import psutil  # type: ignore[import-untyped]  # it ships none
import pytest

from ourcli.app.worker import worker_command
from ourcli.tools.backends.wasm.compiled import CompiledCache
from ourcli.tools.backends.wasm.host import WasmHost
from ourcli.tools.backends.wasm.pool import HostOptions
from tests.support.arena import Arena, workers
from tests.support.guests import Workshop


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Keep one event loop for a file, in which its host lives."""
    return "asyncio"


@pytest.fixture(scope="module")
async def arena(
    compiled_modules: CompiledCache, workshop: Workshop, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Arena]:
    """Return an arena; after the last attack nothing of it is left in this process."""
    descriptors = psutil.Process().num_fds()
    host = WasmHost(worker_command(), compiled_modules, HostOptions(workers=1, idle_s=2.0))
    made = Arena(host, workshop, tmp_path_factory.mktemp("arena"))
    await made.listen()
    yield made
    await made.aclose()
    assert workers() == [], "a worker outlived its host"
    assert psutil.Process().num_fds() <= descriptors, "the host lost track of descriptors"
