"""Amounts for people."""

import re

_UNITS = ("B", "KB", "MB", "GB", "TB")


def in_bytes(size: int) -> str:
    """Return a size in the unit that fits, powers of 1000: `1.5 MB`."""
    amount = float(size)
    for unit in _UNITS:
        if amount < 999.5 or unit == _UNITS[-1]:
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if unit == "B" or amount >= 99.5 else f"{amount:.1f} {unit}"


def shortened(text: str, limit: int = 80) -> str:
    """Return the text on one line, cut with an ellipsis."""
    words = " ".join(text.split())
    return words if len(words) <= limit else words[: limit - 1] + "…"


def parse_bytes(text: str) -> int:
    """Return the bytes that `10MiB`, `2 GB`, `512k` or `1000` mean; a letter alone counts in powers of 1024.

    Raises:
        ValueError: It means none.
    """
    found = re.fullmatch(r"\s*(\d{1,12}(?:\.\d{1,6})?)\s*(?:([kmgt])(i?)(b?)|b)?\s*", text.lower())
    if found is None:
        raise ValueError(f"{text[:40]!r} is no size")
    number, prefix, binary, b = found.groups()
    base = 1000 if prefix and b and not binary else 1024
    return int(float(number) * base ** (" kmgt".index(prefix) if prefix else 0))
