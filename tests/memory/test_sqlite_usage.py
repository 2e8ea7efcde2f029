"""When uses reach the store's file, and what happens where they cannot."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from ourcli.common.errors import StoreError
from ourcli.memory.backends.database import Database
from ourcli.memory.backends.schema import open_database
from ourcli.memory.backends.sqlite_usage import SqliteUsageBook
from ourcli.memory.usage import Usage, Use
from ourcli.testing.clock import FrozenClock
from tests.promises import promise
from tests.support.records import NOON

pytestmark = pytest.mark.anyio


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "db" / "journal.sqlite"


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    opened = open_database(file)
    yield opened
    opened.close()


def written(file: Path) -> int:
    connection = sqlite3.connect(file)
    try:
        return int(connection.execute("SELECT coalesce(sum(uses), 0) FROM usage").fetchone()[0])
    finally:
        connection.close()


async def test_uses_wait_until_there_are_many(database: Database, file: Path) -> None:
    book = SqliteUsageBook(database, FrozenClock(NOON))
    for _ in range(63):
        await book.note(Use(ids=("a",), at=NOON))
    before = written(file)
    await book.note(Use(ids=("a",), at=NOON))

    assert (before, written(file)) == (0, 64)


async def test_uses_wait_a_minute_at_most_when_others_follow(database: Database, file: Path) -> None:
    clock = FrozenClock(NOON)
    book = SqliteUsageBook(database, clock)
    await book.note(Use(ids=("a",), at=NOON))
    clock.advance(timedelta(minutes=1))
    await book.note(Use(ids=("b",), at=NOON))

    assert written(file) == 2


async def test_closing_writes_what_waits_and_other_books_see_it(database: Database, file: Path) -> None:
    first, second = SqliteUsageBook(database, FrozenClock(NOON)), SqliteUsageBook(database, FrozenClock(NOON))
    await second.note(Use(ids=("a",), at=NOON, query="which cache?"))
    await first.note(Use(ids=("a",), at=NOON, query="Which cache?"))
    await first.aclose()
    await first.aclose()

    assert written(file) == 1
    assert await second.of(["a"]) == {"a": Usage(last_used=NOON, uses=2, distinct_queries=1)}


async def test_questions_are_kept_as_digests_only(database: Database, file: Path) -> None:
    book = SqliteUsageBook(database, FrozenClock(NOON))
    await book.note(Use(ids=("a",), at=NOON, query="where is the treasure"))
    await book.flush()

    assert all(b"treasure" not in part.read_bytes() for part in file.parent.iterdir())


class Unwritable(Database):
    """The store's file on a disk that takes nothing more."""

    def __init__(self, inner: Database) -> None:
        self._inner = inner

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with self._inner.reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        with self._inner.writing() as connection:
            yield connection
            raise StoreError("cannot write to memory: no space left")


@promise("memory.usage.read-only")
async def test_where_nothing_can_be_written_uses_are_counted_in_this_process(database: Database, file: Path) -> None:
    book = SqliteUsageBook(Unwritable(database), FrozenClock(NOON))
    for _ in range(100):
        await book.note(Use(ids=("a",), at=NOON))

    with pytest.raises(StoreError):
        await book.flush()
    await book.aclose()

    assert await book.of(["a"]) == {"a": Usage(last_used=NOON, uses=100)}
    assert written(file) == 0
