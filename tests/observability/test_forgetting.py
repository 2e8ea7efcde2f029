"""Forgetting in logs: lines that name what is forgotten go, nobody else's do, also while others append."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ourcli.common.errors import StoreError
from ourcli.common.forgetting import Erasure
from ourcli.observability.backends.jsonl import JsonLines
from ourcli.observability.forgetting import LogForgetting
from ourcli.observability.ports import LineLog
from ourcli.testing.lines import MemoryLines
from tests.promises import promise
from tests.support.traces import traces

pytestmark = pytest.mark.anyio
TEXT = 'über "zanzibarfish" 🎉'
WHAT = Erasure(ids=("01a203ed-2e27-7353-84a7-9b9781742e73",), texts=(TEXT, "short"))
WRITER = """
import sys
from pathlib import Path
from ourcli.observability.backends.jsonl import JsonLines
log = JsonLines(Path(sys.argv[1]), max_bytes=20_000, keep=50)
for number in range(1_500):
    log.append(f'{{"writer": {number}, "gone": {"true" if number % 3 else "false"}, "filler": "{"x" * 40}"}}')
"""


@pytest.fixture(params=["file", "memory"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> LineLog:
    return JsonLines(tmp_path / "logs" / "events.jsonl") if request.param == "file" else MemoryLines()


async def read(log: LineLog) -> list[str]:
    return [line async for line in log.lines(follow=False)]


async def test_an_empty_log_holds_nothing(log: LineLog) -> None:
    assert await LogForgetting(log, "log").erase(WHAT) == 0


@promise("memory.forget.logs")
async def test_lines_with_an_id_or_a_text_go_and_the_rest_stays(log: LineLog) -> None:
    log.append(json.dumps({"event": "RecordsStored", "ids": [WHAT.ids[0], "other"]}))
    log.append(json.dumps({"message": f"cannot read {TEXT}"}, ensure_ascii=False))
    log.append(json.dumps({"message": f"cannot read {TEXT}"}))
    log.append("a short remark")
    log.append("the last one")

    assert await LogForgetting(log, "log").erase(WHAT) == 3

    assert await read(log) == ["a short remark", "the last one"]


async def test_a_log_that_cannot_be_written_is_an_error() -> None:
    with pytest.raises(StoreError):
        await LogForgetting(MemoryLines(failing=True), "log").erase(WHAT)


@promise("memory.forget.logs")
async def test_rotated_files_are_cleaned_and_later_lines_follow(tmp_path: Path) -> None:
    log = JsonLines(tmp_path / "events.jsonl", max_bytes=200, keep=20)
    for number in range(20):
        log.append(f"line {number} names {WHAT.ids[0]}" if number % 2 else f"line {number} is another's line")

    await LogForgetting(log, "log").erase(WHAT)
    log.append("and it goes on")

    assert traces(tmp_path, [], ids=WHAT.ids) == []
    assert len(await read(log)) == 11


def blank_while_another_process_appends(log: JsonLines, path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)]) as writer:
        while writer.poll() is None:
            log.blank([b'"gone": true'])
    log.blank([b'"gone": true'])


@promise("memory.forget.logs")
async def test_whoever_appends_meanwhile_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = JsonLines(path, max_bytes=20_000, keep=50)
    blank_while_another_process_appends(log, path)

    kept = [json.loads(line) for line in await read(log)]

    assert [line["writer"] for line in kept] == list(range(0, 1_500, 3))
