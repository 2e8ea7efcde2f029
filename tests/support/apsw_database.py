"""The store's SQLite file on a disk that knows what a power cut would leave of it.

SQLite is the one that apsw carries; it works through `PowerFiles`, which note every write until it is synced.
"""

import random
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import apsw

from ourcli.memory.backends.database import Database

_SECTOR = 512
_NAMES = iter(range(1_000_000))


@dataclass(slots=True)
class _OnDisk:
    """What of a file survives for certain, and the writes since then, of which each may or may not."""

    synced: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)


class PowerFiles(apsw.VFS):
    """Files as SQLite sees them; everything it does is done for real, too.

    Args:
        moment: Called before everything that changes what a power cut would leave.
    """

    def __init__(self, moment: Callable[[], None]) -> None:
        self.moment = moment
        self.name = f"power{next(_NAMES)}"
        self.files: dict[str, _OnDisk] = {}
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802  # SQLite's name
        """Open a file."""
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        on_disk = self.files.setdefault(path, _OnDisk()) if path else _OnDisk()
        return _PowerFile(name, flags, on_disk, self.moment)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802  # SQLite's name and signature
        """Remove a file."""
        self.moment()
        super().xDelete(filename, syncdir)
        self.files.pop(filename, None)

    def left(self, chance: random.Random) -> dict[Path, bytes]:
        """Return what may be left, by name: what was synced, and of every later write all, a part, or nothing."""
        return {Path(Path(path).name): _left(one, chance) for path, one in self.files.items()}


class _PowerFile(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int], on_disk: _OnDisk, moment: Callable[[], None]) -> None:
        super().__init__("", name, flags)
        self._on_disk = on_disk
        self._moment = moment

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._moment()
        super().xWrite(data, offset)
        self._on_disk.pending.append((offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._moment()
        super().xTruncate(newsize)
        self._on_disk.pending.append((newsize, None))

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._moment()
        super().xSync(flags)
        for offset, data in self._on_disk.pending:
            _write(self._on_disk.synced, offset, data)
        self._on_disk.pending.clear()


def _write(target: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del target[offset:]
        return
    target.extend(bytes(max(0, offset - len(target))))
    target[offset : offset + len(data)] = data


def _left(one: _OnDisk, chance: random.Random) -> bytes:
    data = bytearray(one.synced)
    for offset, written in one.pending:
        kind = chance.random()
        if written is None or kind < 0.4:
            if kind < 0.4:
                _write(data, offset, written)
        elif kind < 0.6:
            _write(data, offset, written[: chance.randrange(len(written) + 1) // _SECTOR * _SECTOR])
    return bytes(data)


class PoweredDatabase(Database):
    """The real database on such files."""

    def __init__(self, path: Path, steps: Sequence[str], files: PowerFiles) -> None:
        self._files = files
        super().__init__(path, steps)

    def _opened(self) -> sqlite3.Connection:
        return cast("sqlite3.Connection", _Connection(apsw.Connection(str(self.path), vfs=self._files.name)))


class _Connection:
    """As much of `sqlite3.Connection` as memory uses."""

    def __init__(self, inner: apsw.Connection) -> None:
        self._inner = inner
        inner.set_busy_timeout(30_000)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> "_Cursor":
        return _Cursor(self._inner, sql, values)

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        self._inner.executemany(sql, rows)

    def __enter__(self) -> "_Connection":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._inner.execute("COMMIT" if kind is None else "ROLLBACK")

    def close(self) -> None:
        self._inner.close()


class _Cursor:
    def __init__(self, inner: apsw.Connection, sql: str, values: Sequence[Any]) -> None:
        self._rows = iter(inner.execute(sql, tuple(values)).fetchall())
        self.rowcount = inner.changes()
        self.lastrowid = inner.last_insert_rowid()

    def __iter__(self) -> "_Cursor":
        return self

    def __next__(self) -> tuple[Any, ...]:
        return cast("tuple[Any, ...]", next(self._rows))

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows)
