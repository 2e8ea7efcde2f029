"""Homes that cannot be written, disks that are full, and who may read what."""

import json
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ourcli.app.lifetime import open_service
from ourcli.app.requests import AskRequest, NewRecord
from ourcli.memory.query import Filter
from tests.promises import promise
from tests.support.process import TIMEOUT_S, CommandLine

FACT = "the office plant is called Ferdinand"


def lines(count: int) -> str:
    """Return records as JSON lines, each with a vector, so that none has to be made."""
    vector = [1.0] + [0.0] * 383
    return "".join(json.dumps({"text": f"fact number {place}", "embedding": vector}) + "\n" for place in range(count))


@promise("core.home.unwritable")
@pytest.mark.parametrize("place", ["file", "/proc/ourcli", "/sys/ourcli"])
def test_a_home_that_cannot_be_made_is_an_error(ourcli: CommandLine, place: str) -> None:
    (ourcli.folder / "file").touch()

    added = ourcli.at(ourcli.folder / place).run("memory", "add", FACT)

    assert added.code in {1, 2}  # a file in its place is found by the configuration first
    assert added.out == ""
    assert str(ourcli.folder / place) in added.err
    assert "hint: " in added.err


@pytest.mark.usefixtures("own_mounts")
@promise("core.home.unwritable")
@promise("memory.usage.read-only")
def test_a_read_only_home_can_be_read_and_says_so_when_written(ourcli: CommandLine) -> None:
    ourcli.run("memory", "add", FACT)
    home = shlex.quote(str(ourcli.home))
    locked = f'mount --bind {home} {home} && mount -o remount,ro,bind {home} && exec "$@"'
    frozen = ourcli.among("unshare", "-rm", "sh", "-c", locked, "sh")

    added = frozen.run("memory", "add", "something else")
    listed = frozen.run("memory", "list", "--json")
    found = frozen.run("memory", "search", "plant", "--json")
    opened = frozen.run("memory", "get", listed.document["records"][0]["id"], "--json")

    assert (added.code, added.out) == (1, "")
    assert "Read-only file system" in added.err
    assert ".rs:" not in added.err
    assert "hint: " in added.err
    assert [record["text"] for record in listed.document["records"]] == [FACT]
    assert found.document["hits"][0]["text"] == FACT
    assert opened.document["record"]["text"] == FACT


@pytest.mark.usefixtures("own_mounts")
@promise("core.home.full-disk")
def test_a_full_disk_is_an_error_and_keeps_what_was_stored(ourcli: CommandLine) -> None:
    (ourcli.folder / "many.jsonl").write_text(lines(4000))
    run = shlex.join([sys.executable, "-m", "ourcli"])
    script = f"""
        mkdir -p "$OURCLI_HOME" && mount -t tmpfs -o size=3m none "$OURCLI_HOME" || exit 99
        {run} memory add {shlex.quote(FACT)} >/dev/null || exit 98
        {run} memory add --jsonl many.jsonl >stored 2>problem; echo $? >code
        {run} memory list --limit 0 --json >after 2>after.problem
    """

    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],
        cwd=ourcli.folder,
        env=ourcli.variables(),
        timeout=TIMEOUT_S,
        check=False,
    )

    problem = (ourcli.folder / "problem").read_text()
    there = json.loads((ourcli.folder / "after").read_text())["records"]
    stored = (ourcli.folder / "stored").read_text().split()
    assert (done.returncode, (ourcli.folder / "code").read_text()) == (0, "1\n")
    assert "error: " in problem
    assert "No space left" in problem
    assert "Traceback" not in problem
    assert FACT in [record["text"] for record in there]
    assert {*stored} <= {record["id"] for record in there}
    assert 0 < len(stored) < 4000


@pytest.mark.anyio
@promise("core.home.full-disk")
async def test_a_file_that_may_not_grow_is_an_error_and_keeps_what_was_stored(ourcli: CommandLine) -> None:
    async with open_service() as service:
        await service.add([NewRecord(text=FACT)])
    narrow = ourcli.among("sh", "-c", 'ulimit -f 60; exec "$@"', "sh")

    added = narrow.run("memory", "add", "--jsonl", "-", stdin=lines(64))

    assert (added.code, added.out) == (1, "")
    assert "error: cannot write" in added.err
    async with open_service() as service:
        assert [record.text for record in await service.records(Filter(), None)] == [FACT]
        await service.add([NewRecord(text="and it goes on")])


@pytest.mark.anyio
@promise("core.home.private")
async def test_nothing_under_the_home_is_readable_by_others(home: Path, folder: Path, tiny: Path) -> None:
    (folder / "notes.md").write_text("# Deploys\n\nDeploys happen on Thursdays.\n")

    async with open_service() as service:
        await service.add([NewRecord(text=FACT)])
        await service.ingest([folder / "notes.md"], None)
        await service.ask(AskRequest(text="how do bees navigate?", model=str(tiny), max_tokens=2))

    modes = modes_under(home)
    assert len(modes) > 20
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}


def modes_under(folder: Path) -> dict[Path, int]:
    return {path: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}
