"""What storing records did."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """A record in which secrets were replaced before it was stored.

    Attributes:
        id: The record.
        kinds: What was found, each kind once: `aws-access-key`, `password`, ...
    """

    id: str
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What was acknowledged.

    Attributes:
        ids: The records, in the order they were given.
        redacted: Those of them that were stored without their secrets.
    """

    ids: tuple[str, ...]
    redacted: tuple[Redaction, ...] = ()


def told(redacted: Sequence[Redaction]) -> tuple[str, ...]:
    """Return what to tell the user of replaced secrets: one line, or none."""
    if not redacted:
        return ()
    kinds = ", ".join(sorted({kind for one in redacted for kind in one.kinds}))
    where = f"in record {redacted[0].id}" if len(redacted) == 1 else f"in {len(redacted)} records"
    return (f"replaced before storing, {where}: {kinds}; --allow-secrets stores texts as they are",)
