"""Amounts for people."""

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
