"""Types of options and arguments: moments, layers, budgets."""

import difflib
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import click

from ourcli.common.clock import SystemClock
from ourcli.memory.layers import Layer

_AGO = re.compile(r"(\+?)(\d+(?:\.\d+)?)([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DATE_ONLY = re.compile(r"\d{4}-\d{2}-\d{2}")
BUDGET_KEYS = ("tokens", "seconds", "calls")


def parse_moment(text: str, now: datetime, *, end_of_day: bool = False, ahead: bool = False) -> datetime:
    """Return the moment that `text` means, aware UTC.

    Args:
        text: An ISO 8601 date or time (UTC when it names no zone), or how long ago: `45s 30m 12h 2d 1w`.
        now: The current moment.
        end_of_day: A date alone means its last moment instead of its first.
        ahead: Times to come can be written too: `+25h`.

    Raises:
        ValueError: It is neither.
    """
    ago = _AGO.fullmatch(text.strip())
    try:
        if ago and (ahead or not ago[1]):
            seconds = float(ago[2]) * _SECONDS[ago[3]]
            return now + timedelta(seconds=seconds if ago[1] else -seconds)
        moment = datetime.fromisoformat(text.strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if end_of_day and _DATE_ONLY.fullmatch(text.strip()):
            moment += timedelta(days=1) - timedelta(microseconds=1)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise ValueError(f"{text!r} is no ISO date or time, and no age such as '2d' or '12h'") from exc


def parse_budget(text: str) -> dict[str, float]:
    """Return the limits of `tokens=500,seconds=10,calls=3`.

    Raises:
        ValueError: An unknown name, a name twice, or a limit that is no positive number.
    """
    budget: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if name not in BUDGET_KEYS:
            near = difflib.get_close_matches(name, BUDGET_KEYS, n=1)
            raise ValueError(f"unknown limit {name!r}; " + (f"did you mean {near[0]!r}?" if near else _limits()))
        if not equals or name in budget:
            raise ValueError(f"give {name!r} once, as {name}=NUMBER")
        budget[name] = _positive(name, number)
    return budget


def _limits() -> str:
    return f"the limits are {', '.join(BUDGET_KEYS)}"


def _positive(name: str, number: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"the limit {name}={number!r} is no positive number")
    return value


class MomentType(click.ParamType[datetime]):
    """An ISO 8601 date or time, or an age such as `2d`; where it may lie ahead, `+2d` too."""

    name = "when"

    def __init__(self, *, end_of_day: bool = False, ahead: bool = False) -> None:
        self._end_of_day = end_of_day
        self._ahead = ahead

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Parse the text of the option."""
        if isinstance(value, datetime):
            return value
        try:
            now = SystemClock().now()
            return parse_moment(str(value), now, end_of_day=self._end_of_day, ahead=self._ahead)
        except ValueError as exc:
            self.fail(str(exc), param, ctx)


class LayersType(click.ParamType[tuple[Layer, ...]]):
    """Layers by name, with commas between them."""

    name = "layers"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Layer, ...]:
        """Parse the text of the option."""
        if isinstance(value, tuple):
            return value
        names = [name.strip() for name in str(value).split(",")]
        unknown = [name for name in names if name not in set(Layer)]
        if unknown:
            self.fail(f"no layer {unknown[0]!r}; the layers are {', '.join(Layer)}", param, ctx)
        return tuple(dict.fromkeys(Layer(name) for name in names))


class BudgetType(click.ParamType[Mapping[str, float]]):
    """Limits by name."""

    name = "limits"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Mapping[str, float]:
        """Parse the text of the option."""
        if isinstance(value, Mapping):
            return value
        try:
            return parse_budget(str(value))
        except ValueError as exc:
            self.fail(str(exc), param, ctx)
