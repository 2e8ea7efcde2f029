"""What repairing a damaged store found and saved."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairReport:
    """What was wrong and what came of it.

    Attributes:
        problems: What was found, a sentence each, naming the file; empty when everything is whole.
        changes: Acknowledged changes that were read from a damaged journal.
        records: Records that were read from damaged tables.
        older: How many of those records come from an older version of their table, because the newest could not be
            read: one that was changed or deleted in the minutes before the damage may be as it was then.
        moved: Where the damaged files are now; nothing of them was changed.
    """

    problems: tuple[str, ...] = ()
    changes: int = 0
    records: int = 0
    older: int = 0
    moved: tuple[Path, ...] = ()
