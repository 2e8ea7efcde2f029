"""What an ingestion is asked for, and what it did."""

from dataclasses import dataclass
from pathlib import Path

from ourcli.memory.stored import Redaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which files go into whose memory.

    Attributes:
        paths: Files and folders. A file named here is read even when an ignore file leaves it out.
        project: Whose memory.
        include: Patterns as in `.gitignore`, relative to each folder; only matching files are read; empty means all.
        exclude: Patterns of files and folders to leave out.
        allow_secrets: Store texts as they are, keys and passwords included.
    """

    paths: tuple[Path, ...]
    project: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    allow_secrets: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What an ingestion did.

    Attributes:
        files: New and changed files that were stored.
        chunks: Pieces of those files.
        skipped: Files that were unchanged, or are named in `problems`.
        removed: Files that were in memory and are no more, or may not be read any longer.
        seconds: How long it took.
        problems: A line for each file or folder that could not or may not be read, with the reason.
        redacted: Pieces that were stored without the secrets in them.
    """

    files: int
    chunks: int
    skipped: int
    removed: int
    seconds: float
    problems: tuple[str, ...] = ()
    redacted: tuple[Redaction, ...] = ()
