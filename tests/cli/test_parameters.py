"""Moments, layers and budgets as people write them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.cli.parameters import parse_budget, parse_moment

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2d ago", "-2d", "2026-13-01", "2y", "99999999999w", "nan"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no ISO date or time"):
        parse_moment(text, NOW)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2d", NOW - timedelta(days=2)),
        ("12h", NOW - timedelta(hours=12)),
        ("1.5h", NOW - timedelta(minutes=90)),
        ("1w", NOW - timedelta(days=7)),
        ("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05+02:00", datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ],
)
def test_dates_times_and_ages_are_moments(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW) == moment


def test_a_time_to_come_is_a_moment_only_where_it_may_be() -> None:
    assert parse_moment("+25h", NOW, ahead=True) == NOW + timedelta(hours=25)
    assert parse_moment("2d", NOW, ahead=True) == NOW - timedelta(days=2)
    with pytest.raises(ValueError, match="no ISO date or time"):
        parse_moment("+25h", NOW)


def test_a_date_as_an_end_means_its_last_moment() -> None:
    assert parse_moment("2026-01-02", NOW, end_of_day=True) == datetime(2026, 1, 2, 23, 59, 59, 999999, tzinfo=UTC)


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_iso_time_means_itself(moment: datetime) -> None:
    assert parse_moment(moment.isoformat(), NOW) == moment


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "unknown limit ''"),
        ("token=5", "did you mean 'tokens'"),
        ("tokens", "give 'tokens' once"),
        ("tokens=1,tokens=2", "give 'tokens' once"),
        ("tokens=0", "no positive number"),
        ("seconds=-1", "no positive number"),
        ("calls=many", "no positive number"),
        ("seconds=inf", "no positive number"),
        ("tokens=5,", "unknown limit ''"),
    ],
)
def test_a_wrong_budget_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_budget(text)


def test_a_budget_names_its_limits() -> None:
    assert parse_budget("tokens=500, seconds=2.5,calls=3") == {"tokens": 500.0, "seconds": 2.5, "calls": 3.0}
