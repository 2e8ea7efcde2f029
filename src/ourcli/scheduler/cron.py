"""Schedules: six cron fields, seconds first, in words and with their next run.

The fields are second, minute, hour, day of month, month, day of week. When both kinds of day are given,
either is enough, as in `crontab(5)`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Self

from cron_descriptor import (  # type: ignore[import-untyped]  # ships no marker of its types
    FormatError,
    MissingFieldError,
    Options,
    get_description,
)
from croniter import CroniterBadCronError, CroniterBadDateError, croniter

from ourcli.common.errors import ConfigError

FIELDS = ("second", "minute", "hour", "day of month", "month", "day of week")
_SPANS = (60, 60, 24, 31, 12, 7)
_MONTHS = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
_DAYS = "SUN|MON|TUE|WED|THU|FRI|SAT"
_NUMBERS = re.compile(r"[0-9*/,-]+", re.ASCII)
_FORMS = (
    _NUMBERS,
    _NUMBERS,
    _NUMBERS,
    re.compile(r"\?|L|[0-9*/,-]+", re.ASCII | re.IGNORECASE),
    re.compile(rf"(?:[0-9*/,-]|{_MONTHS})+", re.ASCII | re.IGNORECASE),
    re.compile(rf"\?|(?:[0-9*/,#-]|{_DAYS})+", re.ASCII | re.IGNORECASE),
)
_LONGEST = 200
_FORM_HINT = "six fields: " + ", ".join(FIELDS) + '; "0 0 */6 * * *" is every 6 hours'
_ANY_DAY = ("*", "?")


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something runs. Make one with `parse`.

    Attributes:
        expression: The six fields, one blank between them.
    """

    expression: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the schedule that six cron fields mean.

        Raises:
            ConfigError: They are not six valid fields, or name a moment that never comes.
        """
        fields = text.split() if len(text) <= _LONGEST else []
        if len(fields) == len(FIELDS) - 1:
            raise ConfigError(
                f"{text!r} has five fields, a schedule has six: the seconds come first",
                hint=f'write "0 {" ".join(fields)}" for second 0',
            )
        if len(fields) != len(FIELDS):
            raise ConfigError(f"{text[:_LONGEST]!r} is not a schedule of six fields", hint=_FORM_HINT)
        for name, field, form, span in zip(FIELDS, fields, _FORMS, _SPANS, strict=True):
            _check_field(text, name, field, form=form, span=span)
        schedule = cls(" ".join(fields))
        schedule._check_meaning()
        return schedule

    def in_words(self) -> str:
        """Return the schedule in English: "Every 6 hours"."""
        words = _describe(self.expression)
        every_day = all(field in _ANY_DAY for field in self.expression.split()[3:])
        return f"{words}, every day" if every_day and words.startswith("At ") else words

    def next_run(self, after: datetime, tz: tzinfo | None = None) -> datetime:
        """Return the first moment after `after`, aware, in UTC.

        Where clocks are put forward, a time that is skipped runs when they have been; where they are put
        back, a time that comes twice runs twice with `tz`, and once in the machine's own zone.

        Args:
            after: Aware.
            tz: Whose clock the fields mean; None for the machine's own.
        """
        if tz is not None:
            found: datetime = croniter(self.expression, after.astimezone(tz), second_at_beginning=True).get_next(
                datetime
            )
            return found.astimezone(UTC)
        return next(moment for moment in self._local_moments(after) if moment > after)

    def _local_moments(self, after: datetime) -> Iterator[datetime]:
        """Walk the machine's wall clock: only a naive time knows the rules of the zone that the system is set to."""
        wall = after.astimezone().replace(tzinfo=None)
        times = croniter(self.expression, wall, second_at_beginning=True)
        while True:
            naive: datetime = times.get_next(datetime)
            # `timestamp` puts a skipped time after the gap; `astimezone` would put it an hour before.
            yield datetime.fromtimestamp(naive.timestamp(), UTC)
            yield datetime.fromtimestamp(naive.replace(fold=1).timestamp(), UTC)

    def _check_meaning(self) -> None:
        try:
            self.next_run(datetime(2024, 1, 1, tzinfo=UTC), UTC)
            _describe(self.expression)
        except CroniterBadDateError as exc:
            raise ConfigError(f"{self.expression!r} names a day that never comes", hint=_FORM_HINT) from exc
        except (CroniterBadCronError, FormatError, MissingFieldError, ValueError) as exc:
            raise ConfigError(f"{self.expression!r} is not a valid schedule", hint=_FORM_HINT) from exc


def _check_field(text: str, name: str, field: str, *, form: re.Pattern[str], span: int) -> None:
    """Refuse what the two libraries would read differently, so that words and runs always agree."""
    steps = [int(step) for step in re.findall(r"/(\d{1,9})", field)]
    if not form.fullmatch(field):
        raise ConfigError(f"{text!r}: {field!r} is not valid for the {name}", hint=_FORM_HINT)
    if any(step == 0 or step >= span for step in steps):
        raise ConfigError(f"{text!r}: the step of {field!r} is not from 1 to {span - 1}", hint=_FORM_HINT)


def _describe(expression: str) -> str:
    # The seventh field, a year, keeps the library from taking six fields for five and a year.
    words: str = get_description(f"{expression} *", Options(locale_code="en_US", use_24hour_time_format=True))
    return words
