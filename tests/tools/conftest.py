"""Real guests in real workers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ourcli.app.worker import worker_command
from ourcli.tools.backends.wasm.compiled import CompiledCache
from ourcli.tools.backends.wasm.host import WasmHost
from ourcli.tools.backends.wasm.orders import SETTINGS
from ourcli.tools.backends.wasm.pool import HostOptions
from tests.support.guests import Workshop


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Return what compiles guests, once a session."""
    return Workshop(tmp_path_factory.mktemp("guests"))


@pytest.fixture(scope="session")
def compiled_modules(tmp_path_factory: pytest.TempPathFactory) -> CompiledCache:
    """Return a cache of compiled modules that the whole session shares."""
    folder = tmp_path_factory.mktemp("compiled")
    return CompiledCache(folder / "code", folder / "digests", settings=SETTINGS)


@pytest.fixture
async def host(compiled_modules: CompiledCache) -> AsyncIterator[WasmHost]:
    """Return a host of plugins, whose workers end with the test."""
    made = WasmHost(worker_command(), compiled_modules, HostOptions(workers=2))
    yield made
    await made.aclose()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return an empty folder for plugins."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    return folder
