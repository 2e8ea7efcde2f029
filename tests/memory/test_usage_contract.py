"""What every book of uses promises; the same tests run on the fake and on the store's SQLite file."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from ourcli.common.clock import SystemClock
from ourcli.memory.backends.schema import open_database
from ourcli.memory.backends.sqlite_usage import SqliteUsageBook
from ourcli.memory.usage import Usage, UsageBook, Use
from ourcli.testing.usage import FakeUsageBook
from tests.promises import promise
from tests.support.records import NOON

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)


@pytest.fixture(params=["fake", "sqlite"])
async def book(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[UsageBook]:
    if request.param == "fake":
        yield FakeUsageBook()
        return
    database = open_database(tmp_path / "db" / "journal.sqlite")
    yield SqliteUsageBook(database, SystemClock())
    database.close()


async def test_a_record_that_nobody_used_has_no_usage(book: UsageBook) -> None:
    await book.note(Use(ids=(), at=NOON, query="nothing found"))

    assert await book.of(["a"]) == {}
    assert await book.of([]) == {}
    assert await book.pinned() == frozenset()


@pytest.mark.parametrize("flushed", ["never", "between", "at the end"])
@promise("memory.usage.counted")
async def test_uses_are_counted_with_the_questions_that_differ(book: UsageBook, flushed: str) -> None:
    await book.note(Use(ids=("a", "b"), at=NOON + HOUR, query="which database?"))
    if flushed == "between":
        await book.flush()
    await book.note(Use(ids=("a",), at=NOON, query="  Which   DATABASE? "))
    await book.note(Use(ids=("a",), at=NOON, query="which cache?"))
    await book.note(Use(ids=("b",), at=NOON + 3 * HOUR))
    if flushed == "at the end":
        await book.flush()

    assert await book.of(["a", "b", "c"]) == {
        "a": Usage(last_used=NOON + HOUR, uses=3, distinct_queries=2),
        "b": Usage(last_used=NOON + 3 * HOUR, uses=2, distinct_queries=1),
    }


async def test_a_pin_is_set_and_taken_and_leaves_the_uses(book: UsageBook) -> None:
    await book.note(Use(ids=("a",), at=NOON))
    await book.pin(["a", "b"], pinned=True)
    await book.pin(["a"], pinned=True)
    both = await book.of(["a", "b"])
    await book.pin(["b"], pinned=False)

    assert both == {"a": Usage(last_used=NOON, uses=1, pinned=True), "b": Usage(pinned=True)}
    assert await book.pinned() == {"a"}
    assert await book.of(["b"]) == {}


async def test_more_records_than_one_statement_takes_can_be_asked_for(book: UsageBook) -> None:
    ids = tuple(f"record-{number}" for number in range(1_200))
    await book.note(Use(ids=ids, at=NOON, query="all"))
    await book.flush()

    assert await book.of(ids) == dict.fromkeys(ids, Usage(last_used=NOON, uses=1, distinct_queries=1))
