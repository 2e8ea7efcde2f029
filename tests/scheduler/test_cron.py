"""Schedules of six fields: refused, told in words, and run at the right moment."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ourcli.common.errors import ConfigError
from ourcli.config.settings import SchedulerSettings
from ourcli.scheduler.cron import Schedule
from tests.promises import promise

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@promise("scheduler.cron.five-fields")
def test_five_fields_are_refused_with_the_sixth_in_front() -> None:
    with pytest.raises(ConfigError, match="has five fields") as caught:
        Schedule.parse("0 */6 * * *")
    assert '"0 0 */6 * * *"' in caught.value.hint
    assert caught.value.exit_code == 2


@promise("scheduler.cron.wrong")
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "daily",
        "@daily",
        "* * * *",
        "0 0 0 * * * 2030",
        "60 0 0 * * *",
        "0 60 0 * * *",
        "0 0 24 * * *",
        "0 0 0 32 * *",
        "0 0 0 0 * *",
        "0 0 0 * 13 *",
        "0 0 0 * * 8",
        "0 0 0 * * MON,,",
        "0 0 0 */0 * *",
        "0 0 */100 * * *",
        "*/60 * * * * *",
        "a b c d e f",
        "R R R * * *",
        "H H H * * *",
        "0 0 0 LW * *",
        "-1 0 0 * * *",
        "٣ 0 0 * * *",
        "0 0 0 30 2 *",
        "0 0 0 * * 2030",
        "* " * 5 + "*" * 5000,
        "0 0 0 * * *\x00",
    ],
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Schedule.parse(text)
    assert "seconds" in caught.value.message or "six fields" in caught.value.hint


@promise("scheduler.cron.in-words")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 0 */6 * * *", "Every 6 hours"),
        ("0 */6 * * * *", "Every 6 minutes"),
        ("0 0 0 * * *", "At 00:00, every day"),
        ("0 0 */1 * * *", "Every hour"),
        ("*/30 * * * * *", "Every 30 seconds"),
        ("15 30 18 * * *", "At 18:30:15, every day"),
        ("0 0 9 * * MON-FRI", "At 09:00, Monday through Friday"),
        ("0 0 9 ? * 1", "At 09:00, only on Monday"),
        ("0 0 0 L * *", "At 00:00, on the last day of the month"),
        ("0 0 0 13 * 5", "At 00:00, on day 13 of the month, or on Friday"),
        ("  0  0 0 * * *  ", "At 00:00, every day"),
    ],
)
def test_a_schedule_is_told_in_words(text: str, words: str) -> None:
    assert Schedule.parse(text).in_words() == words


@promise("scheduler.cron.defaults")
def test_the_default_schedules_are_every_six_hours_and_daily() -> None:
    defaults = SchedulerSettings()
    assert Schedule.parse(defaults.promote_cron).in_words() == "Every 6 hours"
    assert Schedule.parse(defaults.vacuum_cron).in_words() == "At 00:00, every day"


@promise("scheduler.cron.next-run")
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("* * * * * *", 1),
        ("*/30 * * * * *", 30),
        ("0 */6 * * * *", 360),
        ("0 0 */6 * * *", 6 * 3600),
        ("0 0 0 * * *", 12 * 3600),
        ("0 0 12 * * *", 24 * 3600),
    ],
)
def test_the_next_run_comes_after_now(text: str, seconds: int) -> None:
    assert Schedule.parse(text).next_run(NOON, UTC) == NOON + timedelta(seconds=seconds)


def test_fields_mean_the_clock_of_the_zone() -> None:
    found = Schedule.parse("0 0 9 * * *").next_run(NOON, timezone(timedelta(hours=-5)))
    assert found == datetime(2026, 1, 1, 14, 0, tzinfo=UTC)
    assert found.tzinfo is UTC


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("the zone of the process cannot be set here")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@promise("scheduler.cron.local-time")
@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("0 0 9 * * *", "2026-07-01T00:00", "2026-07-01T07:00"),
        ("0 0 9 * * *", "2026-12-01T00:00", "2026-12-01T08:00"),
        ("0 0 9 * * *", "2026-03-28T12:00", "2026-03-29T07:00"),
        ("0 30 2 * * *", "2026-03-28T12:00", "2026-03-29T01:30"),
        ("0 30 2 * * *", "2026-10-25T00:10", "2026-10-25T00:30"),
        ("0 */20 * * * *", "2026-10-25T00:50", "2026-10-25T02:00"),
        ("0 */20 * * * *", "2026-10-25T01:10", "2026-10-25T01:20"),
    ],
)
def test_without_a_zone_the_machines_own_clock_counts(text: str, after: str, expected: str) -> None:
    now = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert Schedule.parse(text).next_run(now) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


_FIELD = st.sampled_from(["*", "0", "1", "5", "*/2", "1-3", "1,4"])


@promise("scheduler.cron.agrees")
@settings(max_examples=60, deadline=None)
@given(
    text=st.tuples(*[_FIELD] * 3, *[st.sampled_from(["*", "1", "*/2", "1-3"])] * 3).map(" ".join),
    after=st.integers(946_684_800, 2_524_608_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
)
def test_every_run_is_in_the_future_and_matches_its_fields(text: str, after: datetime) -> None:
    zone = ZoneInfo("Europe/Berlin")
    schedule = Schedule.parse(text)
    moment = schedule.next_run(after, zone)
    second, month = text.split(maxsplit=1)[0], text.split()[4]
    assert moment > after
    assert second in ("*", "*/2", "1-3", "1,4") or moment.second == int(second)
    assert month != "1" or moment.astimezone(zone).month == 1
    assert schedule.in_words()
