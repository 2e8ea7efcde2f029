"""The list of what is being forgotten: one contract for the fake and the real file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ourcli.common.forgetting import Erasure
from ourcli.memory.backends.schema import open_database
from ourcli.memory.backends.sqlite_erasures import SqliteErasures
from ourcli.memory.forgetting import ErasureBook
from ourcli.testing.forgetting import FakeErasures
from tests.support.traces import traces

pytestmark = pytest.mark.anyio
WHAT = Erasure(ids=("a", "b"), texts=("über 🎉 'quotes'\0",), sessions=("s",), talks=(("p", "s"),))


@pytest.fixture(params=["fake", "file"])
def book(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ErasureBook]:
    if request.param == "fake":
        yield FakeErasures()
        return
    database = open_database(tmp_path / "journal.sqlite")
    yield SqliteErasures(database)
    database.close()


async def test_a_new_list_is_empty(book: ErasureBook) -> None:
    assert await book.unfinished() == await book.finished() == []


async def test_what_was_begun_stands_there_until_it_is_finished(book: ErasureBook) -> None:
    first = await book.begin(WHAT)
    second = await book.begin(Erasure(ids=("c",), texts=()))

    await book.finish(first)

    assert [number for number, _ in await book.unfinished()] == [second]
    assert await book.finished() == [(first, Erasure(ids=("a", "b"), texts=(), sessions=("s",), talks=(("p", "s"),)))]


async def test_numbers_are_never_given_twice(book: ErasureBook) -> None:
    first = await book.begin(WHAT)
    await book.clear([first])

    assert await book.begin(WHAT) > first


async def test_texts_of_a_finished_one_are_gone_from_the_file(tmp_path: Path) -> None:
    database = open_database(tmp_path / "journal.sqlite")
    book = SqliteErasures(database)
    number = await book.begin(Erasure(ids=("a",), texts=("zanzibarfish",)))
    database.wipe()
    assert traces(tmp_path, ["zanzibarfish"])

    await book.finish(number)
    database.wipe()

    assert traces(tmp_path, ["zanzibarfish"]) == []
    assert await book.finished()
    database.close()
