"""What every log of lines does: the file and the fake alike."""

from pathlib import Path

import anyio
import pytest

from ourcli.observability.backends.jsonl import JsonLines
from ourcli.observability.ports import LineLog
from ourcli.testing.lines import MemoryLines
from tests.promises import promise

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["file", "memory"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> LineLog:
    return JsonLines(tmp_path / "logs" / "events.jsonl", poll_s=0.001) if request.param == "file" else MemoryLines()


async def read(log: LineLog) -> list[str]:
    return [line async for line in log.lines(follow=False)]


async def test_an_empty_log_has_no_lines(log: LineLog) -> None:
    assert await read(log) == []


async def test_lines_come_back_in_order(log: LineLog) -> None:
    for line in ("one", "zwei ü", "three"):
        log.append(line)
    assert await read(log) == ["one", "zwei ü", "three"]


async def test_a_line_stays_one_line(log: LineLog) -> None:
    log.append("one\ntwo\r\nthree\u2028four")
    assert await read(log) == ["one two three four"]


@promise("observability.events.tail")
async def test_a_follower_gets_what_was_there_and_what_comes(log: LineLog) -> None:
    log.append("before")
    followed: list[str] = []

    async def follow() -> None:
        async for line in log.lines(follow=True):
            followed.append(line)
            if len(followed) < 4:
                log.append(f"after {len(followed)}")
            else:
                return

    with anyio.fail_after(10):
        await follow()

    assert followed == ["before", "after 1", "after 2", "after 3"]
