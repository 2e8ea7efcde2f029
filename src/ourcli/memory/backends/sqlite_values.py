"""Small things that every table in the store's SQLite file needs: moments as numbers, many ids in one statement."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

_VARIABLES = 500
"""Values in one statement; SQLite takes 32,766 at most."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_T = TypeVar("_T")


def microseconds(at: datetime) -> int:
    """Return a moment as microseconds since 1970 UTC, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def moment(since_1970_us: int) -> datetime:
    """Return the moment of microseconds since 1970, aware UTC."""
    return _EPOCH + since_1970_us * _MICROSECOND


def pieces(values: Sequence[_T]) -> list[Sequence[_T]]:
    """Return the values in pieces that one statement can take."""
    return [values[start : start + _VARIABLES] for start in range(0, len(values), _VARIABLES)]


def marks(values: Sequence[object]) -> str:
    """Return a question mark for each value."""
    return ", ".join("?" * len(values))
