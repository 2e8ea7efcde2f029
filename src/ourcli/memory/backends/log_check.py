"""Notices damage inside of SQLite's log, which SQLite itself takes for the log's end.

A transaction that a power cut tore is the last one, since each is fsynced before the next begins. So two transactions
or more behind the place where SQLite stops reading were acknowledged, and are lost to it.
"""

import sys
from pathlib import Path

_LOG_HEADER, _FRAME_HEADER = 32, 24
_INDEX_HEADER = 48
_TORN = 1


def lost_transactions(path: Path) -> int:
    """Return how many transactions stand in the log of a database that is open here and that SQLite does not read.

    Formats: SQLite's "Database File Format", section 4, and "WAL-mode File Format", section 2.1.
    """
    salts, commits = _commits(path.with_name(f"{path.name}-wal"))
    if not commits:
        return 0
    try:
        with path.with_name(f"{path.name}-shm").open("rb") as file:
            index = file.read(_INDEX_HEADER)
    except OSError:
        return 0
    if index[32:40] != salts:  # another process began the log anew meanwhile
        return 0
    read = int.from_bytes(index[16:20], sys.byteorder)
    lost = sum(frame > read for frame in commits)
    return lost if lost > _TORN else 0


def _commits(log: Path) -> tuple[bytes, list[int]]:
    """Return the salts of the log's newest generation and its frames that end a transaction, counted from 1."""
    try:
        with log.open("rb") as file:
            header = file.read(_LOG_HEADER)
            step = _FRAME_HEADER + int.from_bytes(header[8:12], "big")
            found, frame = [], 0
            while len(head := file.read(_FRAME_HEADER)) == _FRAME_HEADER:
                frame += 1
                if head[8:16] == header[16:24] and head[4:8] != bytes(4):
                    found.append(frame)
                file.seek(step - _FRAME_HEADER, 1)
            return header[16:24], found
    except OSError:
        return b"", []
