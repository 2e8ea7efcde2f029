"""Forgetting in the embedding cache: the vectors of texts that shall be gone."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from anyio import to_thread

from ourcli.common.errors import StoreError
from ourcli.common.forgetting import Erasure

_BUSY_S = 10.0
_SUFFIXES = ("-wal", "-shm", "")


class EmbeddingForgetting:
    """Forgets in the cache in `path` (`SqliteEmbeddingCache`), which may be open meanwhile; a `Forgettable`.

    It is only a cache: where its file cannot be changed it is removed as a whole.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """What it is, for messages."""
        return "embedding cache"

    async def erase(self, what: Erasure) -> int:
        """Remove the vectors of these texts, of every model and as questions too; return how many went.

        Raises:
            StoreError: The file can be neither changed nor removed.
        """
        keys = [(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest(),) for text in what.texts]

        def delete(connection: sqlite3.Connection) -> int:
            with connection:
                return max(0, connection.executemany("DELETE FROM vectors WHERE text = ?", keys).rowcount)

        return await to_thread.run_sync(self._run, delete) if keys else 0

    async def wipe(self) -> None:
        """Write the file anew, and remove a damaged one that was moved aside.

        Raises:
            StoreError: It could not be done.
        """

        def vacuum(connection: sqlite3.Connection) -> int:
            connection.execute("VACUUM")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise sqlite3.OperationalError("another process is reading it")
            return 0

        await to_thread.run_sync(self._run, vacuum)
        await to_thread.run_sync(self._remove, [self._path.with_name(f"{self._path.name}.damaged")])

    def _run(self, action: Callable[[sqlite3.Connection], int]) -> int:
        if not self._path.exists():
            return 0
        try:
            with closing(sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)) as connection:
                connection.execute("PRAGMA secure_delete = ON")
                if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'vectors'").fetchone():
                    return 0
                return action(connection)
        except sqlite3.Error:
            self._remove([Path(f"{self._path}{suffix}") for suffix in _SUFFIXES])
            return 0

    def _remove(self, files: list[Path]) -> None:
        try:
            for file in files:
                file.unlink(missing_ok=True)
        except OSError as exc:
            raise StoreError(
                f"cannot remove the embedding cache {str(self._path)!r}: {exc.strerror or exc}",
                hint="delete the file by hand; it is made anew",
            ) from exc
