"""Identifiers. All are uuid7 (RFC 9562 section 5.7): they sort by time of creation."""

from datetime import UTC, datetime, timedelta
from typing import NewType

RecordId = NewType("RecordId", str)
RunId = NewType("RunId", str)
SessionId = NewType("SessionId", str)


def new_id(at: datetime) -> str:
    """Return a fresh uuid7 whose time part is `at`, so that ids follow the injected clock."""
    import uuid_utils  # deferred: a native module that `--help` must not load

    return str(uuid_utils.uuid7(nanoseconds=round(at.timestamp() * 1_000_000) * 1000))


def made_at(made: str) -> datetime:
    """Return when a uuid7 was made, in whole milliseconds, aware UTC."""
    milliseconds = int(made.replace("-", "")[:12], 16)  # RFC 9562 section 5.7: the first 48 bits
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


def first_id(at: datetime) -> str:
    """Return what sorts before every uuid7 of `at`'s millisecond and after all that are older."""
    milliseconds = (at - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
    return f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}"


def is_uuid(text: str) -> bool:
    """Say whether `text` is a UUID in its usual form, of any version."""
    import uuid  # deferred: costs 5 ms at start-up and only edges ask

    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
