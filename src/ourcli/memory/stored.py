"""What storing records did."""

from collections.abc import Sequence
from dataclasses import dataclass

_SHOWN_CHARS = 80


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
class Contradiction:
    """A new record and an older one that cannot both hold.

    Attributes:
        id: The new record.
        record_id: The older record.
        text: The older record's text.
        why: What differs, as half a sentence about the older one: "it says 15 minutes where this says 30 minutes".
    """

    id: str
    record_id: str
    text: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What was acknowledged.

    Attributes:
        ids: The records, in the order they were given.
        redacted: Those of them that were stored without their secrets.
        contradicts: What they contradict among the older decisions of their project.
    """

    ids: tuple[str, ...]
    redacted: tuple[Redaction, ...] = ()
    contradicts: tuple[Contradiction, ...] = ()

    @property
    def notices(self) -> tuple[str, ...]:
        """What to tell the user, a line each: replaced secrets, then contradictions."""
        return (*told(self.redacted), *warned(self.contradicts))


def warned(contradicts: Sequence[Contradiction]) -> tuple[str, ...]:
    """Return what to tell the user of contradictions, a line each."""
    return tuple(
        f"this contradicts {one.record_id}, {_shortened(one.text)!r}: {one.why}; both are kept" for one in contradicts
    )


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARS else f"{line[: _SHOWN_CHARS - 1]}…"


def told(redacted: Sequence[Redaction]) -> tuple[str, ...]:
    """Return what to tell the user of replaced secrets: one line, or none."""
    if not redacted:
        return ()
    kinds = ", ".join(sorted({kind for one in redacted for kind in one.kinds}))
    where = f"in record {redacted[0].id}" if len(redacted) == 1 else f"in {len(redacted)} records"
    return (f"replaced before storing, {where}: {kinds}; --allow-secrets stores texts as they are",)
