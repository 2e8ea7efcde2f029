"""Two pulls at once, in one process and in two, make one download."""

import sys
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from anyio.abc import Process

from ourcli.ai.backends.file_locks import FileLocks
from ourcli.ai.models.library import ModelLibrary
from ourcli.ai.models.ports import Locks
from ourcli.ai.models.shelf import Shelf
from ourcli.common.clock import SystemClock
from ourcli.common.events import NullSink
from ourcli.testing.fetching import MemoryFetcher, MemoryLocks
from tests.ai.models.sources import LAPTOP, FakeHub, hub_source, model_file, registry_of, registry_text, sha256
from tests.promises import promise

pytestmark = pytest.mark.anyio

DATA = b"GGUF" + bytes(range(256)) * 30

PULL = """
import sys
from pathlib import Path
import anyio
from ourcli.ai.backends.model_library import open_library
from ourcli.ai.models.registry import parse_registry
from ourcli.common.events import NullSink
from ourcli.common.net import Gate

library = open_library(
    Path(sys.argv[1]), Gate(network=False), registry=parse_registry(sys.argv[2]), hub_endpoint=sys.argv[3]
)
print("pulling", flush=True)
print(anyio.run(library.pull, "brain", NullSink()).sha256)
"""


async def everything(process: Process) -> bytes:
    assert process.stdout is not None
    return b"".join([chunk async for chunk in process.stdout])


@promise("ai.models.one-download")
async def test_two_processes_at_once_make_one_download(models: Path, hub: FakeHub) -> None:
    hub.files["someone/brain/model.gguf"] = DATA
    hub.may_answer.clear()
    text = registry_text(model_file(DATA, hub_source()))
    command = [sys.executable, "-c", PULL, str(models), text, hub.endpoint]
    async with await anyio.open_process(command) as first:
        assert await anyio.to_thread.run_sync(hub.got_request.wait, 60)
        async with await anyio.open_process(command) as second:
            assert second.stdout is not None
            assert (await second.stdout.receive()).startswith(b"pulling")
            hub.may_answer.set()
            outputs = [await everything(process) for process in (first, second)]
    assert all(sha256(DATA).encode() in output for output in outputs)
    assert len(hub.gets) == 1


@pytest.fixture(params=["fake", "real"])
def locks(request: pytest.FixtureRequest) -> Locks:
    return MemoryLocks() if request.param == "fake" else FileLocks()


async def test_a_lock_is_held_by_one_at_a_time(locks: Locks, tmp_path: Path) -> None:
    order: list[str] = []
    free, waiting = anyio.Event(), anyio.Event()

    async def hold_first() -> None:
        async with locks.hold(tmp_path / "a.lock"):
            waiting.set()
            await free.wait()
            order.append("first")

    async def hold_second() -> None:
        await waiting.wait()
        async with locks.hold(tmp_path / "a.lock"):
            order.append("second")

    async with anyio.create_task_group() as group:
        group.start_soon(hold_first)
        group.start_soon(hold_second)
        await waiting.wait()
        async with locks.hold(tmp_path / "other.lock"):
            order.append("other")
        free.set()
    assert order == ["other", "first", "second"]


async def test_a_lock_is_free_after_its_holder_failed(locks: Locks, tmp_path: Path) -> None:
    with suppress(ZeroDivisionError):
        async with locks.hold(tmp_path / "a.lock"):
            raise ZeroDivisionError
    async with locks.hold(tmp_path / "a.lock"):
        pass


async def test_two_tasks_at_once_make_one_download(models: Path) -> None:
    fetcher = MemoryFetcher({"hub someone/brain": DATA})
    library = ModelLibrary(
        registry_of(model_file(DATA, hub_source())),
        Shelf(models, SystemClock()),
        machine=LAPTOP,
        fetchers=fetcher.everywhere(),
        locks=FileLocks(),
    )
    async with anyio.create_task_group() as group:
        group.start_soon(library.pull, "brain", NullSink())
        group.start_soon(library.pull, "brain", NullSink())
    assert len(fetcher.asked) == 1
