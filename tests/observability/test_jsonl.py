"""The rotating file of lines: privacy, rotation, several processes, crashes, full disks."""

import json
import os
import sys
from pathlib import Path

import anyio
import pytest

from ourcli.common.errors import StoreError
from ourcli.observability.backends.jsonl import JsonLines
from tests.promises import promise

pytestmark = pytest.mark.anyio

WRITER = """
import sys
from pathlib import Path
from ourcli.observability.backends.jsonl import JsonLines
log = JsonLines(Path(sys.argv[1]), max_bytes=20_000, keep=50)
for number in range(400):
    log.append(f'{{"writer": "{sys.argv[2]}", "number": {number}, "filler": "{"x" * 50}"}}')
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "events.jsonl"


async def read(log: JsonLines) -> list[str]:
    return [line async for line in log.lines(follow=False)]


def files(path: Path) -> list[Path]:
    return sorted(path.parent.glob("events.jsonl*"))


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot create the folder"):
        JsonLines(tmp_path / "file" / "events.jsonl").append("one")


def test_a_path_that_is_no_file_is_an_error(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot write"):
        JsonLines(path).append("one")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
@promise("observability.events.full-disk")
async def test_a_full_disk_is_an_error_and_later_lines_are_whole(path: Path) -> None:
    import resource  # deferred: Windows has none

    log = JsonLines(path)
    log.append("first")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
    try:
        with pytest.raises(StoreError, match="cannot write"):
            log.append("a line that does not fit any more")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    log.append("last")
    assert [(await read(log))[place] for place in (0, -1)] == ["first", "last"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
@promise("observability.events.private")
def test_only_its_owner_can_read_the_log(path: Path) -> None:
    log = JsonLines(path, max_bytes=10)
    log.append("one line")
    log.append("another, which rotates")
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700


@promise("observability.events.torn")
async def test_a_torn_last_line_is_skipped_and_spoils_no_later_one(path: Path) -> None:
    log = JsonLines(path)
    log.append("whole")
    with path.open("ab") as stream:
        stream.write(b'{"torn": "li')

    before = await read(log)
    log.append("next")

    assert before == ["whole"]
    assert await read(log) == ["whole", '{"torn": "li', "next"]


@promise("observability.events.rotates")
async def test_the_log_rotates_by_size_and_keeps_the_newest_lines(path: Path) -> None:
    log = JsonLines(path, max_bytes=100, keep=3)
    for number in range(100):
        log.append(f"line {number:04}")
    lines = await read(log)
    assert [file.name for file in files(path)] == ["events.jsonl", "events.jsonl.1", "events.jsonl.2"]
    assert all(file.stat().st_size <= 100 for file in files(path))
    assert lines == [f"line {number:04}" for number in range(100 - len(lines), 100)]
    assert len(lines) >= 20


@promise("observability.events.tail")
async def test_a_follower_misses_nothing_when_the_log_rotates(path: Path) -> None:
    log = JsonLines(path, max_bytes=100, keep=4, poll_s=0.001)
    followed: list[str] = []

    async def follow() -> None:
        async for line in log.lines(follow=True):
            followed.append(line)
            if line == "line 0059":
                return

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(follow)
            for number in range(60):
                log.append(f"line {number:04}")
                while number % 10 == 9 and len(followed) <= number:
                    await anyio.lowlevel.checkpoint()

    assert followed == [f"line {number:04}" for number in range(60)]


@promise("observability.events.processes")
async def test_processes_that_append_at_once_lose_and_mix_nothing(path: Path) -> None:
    async with anyio.create_task_group() as tasks:
        for name in ("a", "b", "c"):
            tasks.start_soon(anyio.run_process, [sys.executable, "-c", WRITER, str(path), name])

    entries = [json.loads(line) for line in await read(JsonLines(path, keep=50))]

    assert len(files(path)) > 2
    for name in ("a", "b", "c"):
        assert [entry["number"] for entry in entries if entry["writer"] == name] == list(range(400))


async def test_a_log_in_a_folder_that_cannot_be_written_can_still_be_read(path: Path) -> None:
    log = JsonLines(path)
    log.append("one")
    path.parent.chmod(0o500)
    try:
        assert await read(log) == ["one"]
    finally:
        path.parent.chmod(0o700)
