"""Lengths of time as rules write them: `30m`, `24h`, `90d`."""

import re
from datetime import timedelta
from itertools import pairwise

_DURATION = re.compile(r"(\d{1,9})\s?([smhdw])")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_WORDS = (("days", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
LONGEST = timedelta(days=36_500)
"""A hundred years."""


def parse_duration(text: str) -> timedelta:
    """Return the length of time that a text such as `24h` means.

    Raises:
        ValueError: It is none, or it is nothing or longer than a hundred years.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError("it is no number with s, m, h, d or w")
    number, unit = int(match[1]), _UNITS[match[2]]
    if not timedelta() < number * unit.total_seconds() * timedelta(seconds=1) <= LONGEST:
        raise ValueError("it must be longer than nothing and at most 36500d")
    return number * unit


def written(length: timedelta) -> str:
    """Return a length as a rule writes it, in the largest unit that divides it: `24h`, but `90d`."""
    seconds = round(length.total_seconds())
    for letter in "dhms":
        whole = round(_UNITS[letter].total_seconds())
        if seconds % whole == 0 and (letter != "d" or seconds >= 2 * whole):
            return f"{seconds // whole}{letter}"
    raise AssertionError("every whole number of seconds divides by one second")


def in_words(length: timedelta) -> str:
    """Return a length for people, in two units at most and rounded down: `24 h`, `24 h 14 min`, `95 days`."""
    seconds = int(length.total_seconds())
    for (unit, whole), (smaller, part) in pairwise(_WORDS):
        if seconds >= 2 * whole:
            rest = seconds % whole // part
            return f"{seconds // whole} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds} s"
