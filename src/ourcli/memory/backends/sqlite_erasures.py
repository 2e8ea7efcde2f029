"""The list of what is being forgotten, in the store's SQLite file."""

import json
from collections.abc import Sequence

from anyio import to_thread

from ourcli.common.forgetting import Erasure
from ourcli.memory.backends.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS erasures (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    ids TEXT NOT NULL,
    texts TEXT NOT NULL,
    sessions TEXT NOT NULL,
    finished INTEGER NOT NULL DEFAULT 0
) STRICT;
"""


class SqliteErasures:
    """An `ErasureBook`; what is dropped from it is overwritten with zeros."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, what: Erasure) -> int:
        """Write down what is to be forgotten; when this returns it survives a power cut."""

        def write() -> int:
            with self._database.writing() as connection:
                values = (json.dumps(what.ids), json.dumps(what.texts), json.dumps([what.sessions, what.talks]))
                cursor = connection.execute("INSERT INTO erasures (ids, texts, sessions) VALUES (?, ?, ?)", values)
                return int(cursor.lastrowid or 0)

        return await to_thread.run_sync(write)

    async def unfinished(self) -> list[tuple[int, Erasure]]:
        """Return what was begun and not finished, by number, oldest first."""
        return await to_thread.run_sync(self._listed, 0)

    async def finished(self) -> list[tuple[int, Erasure]]:
        """Return what is finished and whose bytes may still stand in files; without texts."""
        return await to_thread.run_sync(self._listed, 1)

    def _listed(self, finished: int) -> list[tuple[int, Erasure]]:
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT seq, ids, texts, sessions FROM erasures WHERE finished = ? ORDER BY seq", (finished,)
            ).fetchall()
        return [(seq, _erasure(ids, texts, sessions)) for seq, ids, texts, sessions in rows]

    async def finish(self, number: int) -> None:
        """Note that it was asked of everything: its texts are dropped, its ids stay until `clear`."""
        await self._run("UPDATE erasures SET finished = 1, texts = '[]' WHERE seq = ?", [number])

    async def clear(self, numbers: Sequence[int]) -> None:
        """Drop entries whose bytes are gone, and their own bytes with them."""
        if numbers:
            await self._run("DELETE FROM erasures WHERE seq = ?", numbers)
            await to_thread.run_sync(self._database.wipe)

    async def _run(self, statement: str, numbers: Sequence[int]) -> None:
        def write() -> None:
            with self._database.writing() as connection:
                connection.executemany(statement, [(number,) for number in numbers])

        await to_thread.run_sync(write)


def _erasure(ids: str, texts: str, sessions: str) -> Erasure:
    ended, talks = json.loads(sessions)
    return Erasure(
        ids=tuple(json.loads(ids)),
        texts=tuple(json.loads(texts)),
        sessions=tuple(ended),
        talks=tuple((project, session) for project, session in talks),
    )
