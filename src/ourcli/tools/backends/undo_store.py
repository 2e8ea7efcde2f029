"""What files held before tools changed them, by digest, and the list of changes.

It is written and synced before a file is touched, so that a process killed at any moment leaves a file that is either
as it was or changed with a way back. Whoever changes a file holds the store's lock, so a change that is found begun
under the lock belongs to a process that died.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from anyio import to_thread
from filelock import FileLock, Timeout

from ourcli.common.clock import Clock
from ourcli.common.errors import StoreError
from ourcli.common.files import FILE_MODE, atomic_write, ensure_private_folder
from ourcli.common.forgetting import Erasure
from ourcli.tools.undo import FileChange

MOST_FILE_BYTES: Final = 64 * 1024 * 1024
"""Of a larger file nothing is kept, and so no tool changes it."""
MOST_BYTES: Final = 256 * 1024 * 1024
"""All that is kept together; the oldest goes first."""
KEPT: Final = timedelta(days=30)
_LOCK_S: Final = 30.0
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS blobs (sha256 TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL,
    before TEXT,
    after TEXT,
    mode INTEGER,
    at TEXT NOT NULL,
    tool TEXT NOT NULL,
    run_id TEXT NOT NULL,
    undoes INTEGER,
    undone INTEGER NOT NULL DEFAULT 0,
    temporary TEXT NOT NULL DEFAULT ''
) STRICT;
"""
_COLUMNS: Final = "id, path, before, after, mode, at, tool, run_id, undoes, undone"


def digest(data: bytes | None) -> str | None:
    """Return the digest of a file's content, None of no file."""
    return None if data is None else hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A change that is about to be made.

    Attributes:
        path: The file's true path.
        before: What it holds, or None.
        after: What it will hold, or None.
        mode: Its permissions, or None.
        temporary: Name of the file beside it that is written first.
        tool: Who does it.
        run_id: The run that called the tool, or "".
        undoes: The change that is taken back, or None.
    """

    path: str
    before: bytes | None
    after: bytes | None
    mode: int | None
    temporary: str
    tool: str
    run_id: str = ""
    undoes: int | None = None


class UndoStore:
    """Keeps what was before; also a `Forgettable`, for files may hold what a record held.

    Args:
        folder: Where; it is made when something is first kept.
        clock: Time.
        most_bytes: All that is kept together.
    """

    def __init__(self, folder: Path, clock: Clock, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._clock, self._most_bytes = folder, clock, most_bytes

    @property
    def name(self) -> str:
        """What it is, for messages."""
        return "undo store"

    @property
    def exists(self) -> bool:
        """Whether anything was ever kept."""
        return (self._folder / "log.sqlite").exists()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Be the only one, in this process and others, who changes files or the store.

        Raises:
            StoreError: Others take too long, or the folder cannot be written.
        """
        ensure_private_folder(self._folder)
        try:
            with FileLock(self._folder / "lock", timeout=_LOCK_S, mode=FILE_MODE, thread_local=False):
                yield
        except Timeout as exc:
            raise StoreError("another process is changing files through tools", hint="try again") from exc

    # While holding

    def begin(self, change: Begun) -> int:
        """Keep what was before and write the change down; when this returns it survives a power cut."""
        if change.before is not None:
            self._keep(change.before)
        before, after = digest(change.before), digest(change.after)
        values = (change.path, before, after, change.mode, self._clock.now().isoformat(), change.tool, change.run_id)
        with self._writing() as connection:
            if before is not None:
                size = len(change.before or b"")
                connection.execute("INSERT OR IGNORE INTO blobs VALUES (?, ?)", (before, size))
            cursor = connection.execute(
                "INSERT INTO changes (path, before, after, mode, at, tool, run_id, undoes, temporary)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, change.undoes, change.temporary),
            )
            return int(cursor.lastrowid or 0)

    def finish(self, number: int) -> None:
        """Note that the file is changed now, and that the change it takes back is taken back."""
        with self._writing() as connection:
            connection.execute("UPDATE changes SET temporary = '' WHERE id = ?", (number,))
            taken_back = "SELECT undoes FROM changes WHERE id = ?"
            connection.execute(f"UPDATE changes SET undone = 1 WHERE id = ({taken_back})", (number,))  # noqa: S608  # no value in it
        self._trim()

    def note_undone(self, number: int) -> None:
        """Note that a change is taken back, whoever did it."""
        with self._writing() as connection:
            connection.execute("UPDATE changes SET undone = 1 WHERE id = ?", (number,))

    def drop(self, number: int) -> None:
        """Remove a change that was not made."""
        with self._writing() as connection:
            connection.execute("DELETE FROM changes WHERE id = ?", (number,))
        self._sweep()

    def unfinished(self) -> list[tuple[FileChange, str]]:
        """Return what was begun by processes that died, with the names of their temporary files."""
        with self._writing() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS}, temporary FROM changes WHERE temporary != ''").fetchall()  # noqa: S608  # a constant
        return [(_change(row[:-1]), row[-1]) for row in rows]

    def changes(self) -> list[FileChange]:
        """Return every change, latest first."""
        if not self.exists:
            return []
        with self._writing() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM changes ORDER BY id DESC").fetchall()  # noqa: S608  # a constant
        return [_change(row) for row in rows]

    def content(self, sha256: str) -> bytes:
        """Return what is kept under a digest.

        Raises:
            StoreError: It is gone or damaged.
        """
        try:
            data = self._blob(sha256).read_bytes()
        except OSError as exc:
            raise StoreError(f"what was before is gone from {str(self._folder)!r}: {exc.strerror or exc}") from exc
        if digest(data) != sha256:
            raise StoreError(f"what was before is damaged: {str(self._blob(sha256))!r}", hint="nothing was done")
        return data

    # Forgetting

    async def erase(self, what: Erasure) -> int:
        """Remove every kept content that holds one of the texts, with its changes; return how many contents went."""
        texts = [text.strip() for text in what.texts if text.strip()]
        if not texts or not self.exists:
            return 0
        return await to_thread.run_sync(self._erase, texts)

    async def wipe(self) -> None:
        """Let go of what is too old or too much, and leave no byte of what was removed."""
        if self.exists:
            await to_thread.run_sync(self._wipe)

    def _erase(self, texts: Sequence[str]) -> int:
        with self.holding():
            holds = _holder(texts)
            with self._writing() as connection:
                kept = [str(row[0]) for row in connection.execute("SELECT sha256 FROM blobs")]
                gone = [(one,) for one in kept if self._blob(one).is_file() and holds(self._blob(one).read_bytes())]
                connection.executemany("DELETE FROM changes WHERE before = ?", gone)
            self._sweep()
            return len(gone)

    def _wipe(self) -> None:
        with self.holding():
            self._trim()
            self._sweep()
            with self._opened() as connection:
                connection.execute("VACUUM")

    def _trim(self) -> None:
        """Let go of changes that are too old, and of the oldest while too much is kept."""
        oldest = (self._clock.now() - KEPT).isoformat()
        with self._writing() as connection:
            connection.execute("DELETE FROM changes WHERE at < ? AND temporary = ''", (oldest,))
            sizes = dict(connection.execute("SELECT sha256, size_bytes FROM blobs").fetchall())
            rows = connection.execute("SELECT id, before FROM changes WHERE temporary = '' ORDER BY id DESC").fetchall()
            seen: set[str] = set()
            total = 0
            for number, before in rows:
                total += 0 if before is None or before in seen else sizes.get(before, 0)
                seen.add(before or "")
                if total > self._most_bytes:
                    connection.execute("DELETE FROM changes WHERE id <= ? AND temporary = ''", (number,))
                    break
            stale = "SELECT count(*) FROM blobs WHERE sha256 NOT IN (SELECT before FROM changes WHERE before NOT NULL)"
            is_stale = connection.execute(stale).fetchone()[0]
        if is_stale:
            self._sweep()

    def _sweep(self) -> None:
        """Remove contents that no change names."""
        with self._writing() as connection:
            connection.execute(
                "DELETE FROM blobs WHERE sha256 NOT IN (SELECT before FROM changes WHERE before NOT NULL)"
            )
            named = {str(row[0]) for row in connection.execute("SELECT sha256 FROM blobs")}
        try:
            for file in (self._folder / "blobs").glob("*"):
                if file.name not in named:
                    file.unlink(missing_ok=True)
        except OSError as exc:
            raise StoreError(f"cannot clean {str(self._folder)!r}: {exc.strerror or exc}") from exc

    def _keep(self, data: bytes) -> None:
        target = self._blob(str(digest(data)))
        if not target.is_file() or digest(target.read_bytes()) != target.name:
            with atomic_write(target) as stream:
                stream.write(data)

    def _blob(self, sha256: str) -> Path:
        return self._folder / "blobs" / sha256

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                yield connection

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        path = self._folder / "log.sqlite"
        ensure_private_folder(self._folder)
        try:
            path.touch(FILE_MODE)
            with closing(sqlite3.connect(path, timeout=_LOCK_S, isolation_level=None)) as connection:
                for pragma in ("synchronous = EXTRA", "fullfsync = ON", "secure_delete = ON"):
                    connection.execute(f"PRAGMA {pragma}")
                connection.executescript(_SCHEMA)
                yield connection
        except (sqlite3.Error, OSError) as exc:
            raise StoreError(
                f"cannot keep what files held before: {exc}", hint=f"check free space and {str(self._folder)!r}"
            ) from exc


def _change(row: Sequence[object]) -> FileChange:
    number, path, before, after, mode, at, tool, run_id, undoes, undone = row
    return FileChange(
        id=int(str(number)),
        path=str(path),
        before=None if before is None else str(before),
        after=None if after is None else str(after),
        mode=None if mode is None else int(str(mode)),
        at=datetime.fromisoformat(str(at)),
        tool=str(tool),
        run_id=str(run_id),
        undoes=None if undoes is None else int(str(undoes)),
        undone=bool(undone),
    )


def _holder(texts: Sequence[str]) -> Callable[[bytes], bool]:
    """Return what says whether a file's bytes hold one of the texts, in the encodings that files have."""
    forms = {text.encode(encoding, "replace") for text in texts for encoding in ("utf-8", "utf-16-le", "utf-16-be")}
    return partial(_holds, frozenset(forms))


def _holds(forms: frozenset[bytes], data: bytes) -> bool:
    plain = [data.replace("\r\n".encode(kind), "\n".encode(kind)) for kind in ("utf-8", "utf-16-le", "utf-16-be")]
    return any(form in one for form in forms for one in (data, *plain))
