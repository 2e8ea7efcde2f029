"""Values as JSON data, the way commands and servers write them: one shape wherever data leaves ourcli."""

import dataclasses
import math
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def to_json(value: object) -> Json:
    """Return `value` as data that `json.dumps` takes.

    Dataclasses and mappings become objects, times ISO 8601 in UTC with `Z`, enums their value, paths
    their text, numbers that JSON lacks (NaN, infinities) null.

    Raises:
        TypeError: The value has no JSON form.
    """
    if isinstance(value, Enum):
        return to_json(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, os.PathLike):  # not pathlib's own class: importing it costs start-up time
        return os.fsdecode(value)
    return _container(value)


def iso(moment: datetime) -> str:
    """Return an aware moment as ISO 8601 in UTC, `Z`: milliseconds, or microseconds where it has them."""
    if moment.microsecond % 1000 == 0:
        return iso_milliseconds(moment)
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def iso_milliseconds(moment: datetime) -> str:
    """Return an aware moment as a person reads it: ISO 8601 in UTC, milliseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _container(value: object) -> Json:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(to_json(key)): to_json(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [to_json(item) for item in value]
    raise TypeError(f"no JSON form for {type(value).__name__}")
