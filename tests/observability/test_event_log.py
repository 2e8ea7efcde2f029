"""What goes into the event log, and what comes out of it again."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from ourcli.common.events import AnswerTextProduced, Event, ProgressMade, RecordsStored, RunStarted
from ourcli.common.ids import RunId
from ourcli.observability.events_log import EventLog
from ourcli.testing.lines import MemoryLines
from tests.promises import promise

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def started(at: datetime = AT) -> RunStarted:
    return RunStarted(at=at, run_id=RunId("run"), goal_chars=5, recipe="answer")


def silent(message: str) -> None:
    raise AssertionError(f"warned: {message}")


@promise("observability.events.full-disk")
def test_a_log_that_cannot_be_written_warns_once_and_goes_on() -> None:
    warnings: list[str] = []
    log = EventLog(MemoryLines(failing=True), warn=warnings.append)
    log.emit(started())
    log.emit(started())
    assert warnings == ["events are not being logged: cannot write the log: no space left on device"]


@promise("observability.events.log")
@pytest.mark.parametrize(
    "event",
    [AnswerTextProduced(at=AT, text="secret"), ProgressMade(at=AT, task="t", done=1, total=2, unit="B")],
)
def test_words_of_answers_and_progress_are_never_logged(event: Event) -> None:
    lines = MemoryLines()
    EventLog(lines, warn=silent).emit(event)
    assert lines.kept == []


@promise("observability.events.log")
def test_an_event_is_one_line_of_json() -> None:
    lines = MemoryLines()
    EventLog(lines, warn=silent).emit(started())
    assert [json.loads(line) for line in lines.kept] == [
        {
            "at": "2026-11-22T12:00:00.000+00:00",
            "event": "RunStarted",
            "run_id": "run",
            "goal_chars": 5,
            "recipe": "answer",
        }
    ]


def test_a_long_list_is_cut_and_its_length_is_told() -> None:
    lines = MemoryLines()
    EventLog(lines, warn=silent).emit(RecordsStored(at=AT, layer="assets", ids=tuple(map(str, range(5000)))))
    entry = json.loads(lines.kept[0])
    assert (len(entry["ids"]), entry["ids_total"]) == (100, 5000)


@promise("observability.events.tail")
async def test_tail_shows_events_since_a_moment_and_skips_what_is_no_event() -> None:
    lines = MemoryLines()
    log = EventLog(lines, warn=silent)
    lines.kept += ["", "{torn", "[1]", '{"a": 1}', '{"event": "x"}', '{"event": "x", "at": "never"}']
    for minutes in range(3):
        log.emit(started(AT + timedelta(minutes=minutes)))

    shown: list[Mapping[str, object]] = [one async for one in log.tail(since=AT + timedelta(minutes=1))]

    assert [one["at"] for one in shown] == ["2026-11-22T12:01:00.000+00:00", "2026-11-22T12:02:00.000+00:00"]
