"""Lists in pages, with cursors that say nothing but where the next page begins."""

import base64
import binascii
from collections.abc import Sequence
from typing import Final, TypeVar

from ourcli.common.errors import InvalidInputError

_Item = TypeVar("_Item")
PAGE: Final = 100
_MOST_CHARACTERS = 64


def page(items: Sequence[_Item], cursor: str | None, *, size: int = PAGE) -> tuple[list[_Item], str | None]:
    """Return one page, and the cursor of the next one or None.

    Raises:
        InvalidInputError: No list of ours gave this cursor.
    """
    start = _start(cursor) if cursor is not None else 0
    end = start + size
    return list(items[start:end]), _cursor(end) if end < len(items) else None


def _cursor(start: int) -> str:
    return base64.urlsafe_b64encode(b"from:%d" % start).decode()


def _start(cursor: str) -> int:
    try:
        label, _, number = base64.urlsafe_b64decode(cursor[:_MOST_CHARACTERS].encode()).partition(b":")
    except (binascii.Error, ValueError) as exc:
        raise InvalidInputError("no such cursor", hint="begin the list again without one") from exc
    if label != b"from" or not number.isdigit():
        raise InvalidInputError("no such cursor", hint="begin the list again without one")
    return int(number)
