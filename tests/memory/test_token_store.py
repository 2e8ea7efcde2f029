"""The store of token vectors: the same contract on the fake and on SQLite, then SQLite's own faults."""

import logging
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from ourcli.common.clock import SystemClock
from ourcli.common.errors import StoreError
from ourcli.common.forgetting import Erasure, Forgettable
from ourcli.memory.backends.token_store import SqliteTokenStore
from ourcli.memory.ports import TokenStore
from ourcli.memory.tokens import TokenKey, TokenRow, TokenVectors, compact
from ourcli.testing.tokens import FakeTokenStore
from tests.promises import promise
from tests.support.records import axis

pytestmark = pytest.mark.anyio
ROW_BYTES = 196


class Store(TokenStore, Forgettable, Protocol):
    """What both are."""


def a_row(record_id: str, *places: int, text: str = "text", model: str = "model") -> TokenRow:
    return TokenKey.of(record_id, text, model), compact(axis(*places))


def lay(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def bytes_beside(path: Path) -> bytes:
    return b"".join(one.read_bytes() for one in path.parent.iterdir())


def same(one: TokenVectors, other: TokenVectors) -> bool:
    return bool(np.array_equal(one.codes, other.codes) and np.array_equal(one.scales, other.scales))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "db" / "tokens.sqlite"


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, path: Path) -> Iterator[Store]:
    if request.param == "fake":
        yield FakeTokenStore()
        return
    with closing(SqliteTokenStore(path, clock=SystemClock())) as opened:
        yield opened


async def test_what_was_never_put_is_not_there(store: Store) -> None:
    assert await store.get([]) == {}
    assert await store.get([TokenKey.of("a", "text", "model")]) == {}
    await store.put([], keep=True)
    assert await store.erase(Erasure(ids=("a",), texts=())) == 0
    await store.wipe()


async def test_vectors_come_back_as_they_were_put(store: Store) -> None:
    rows = [a_row("a", 0, 1, 2), a_row("b", 5)]
    await store.put(rows, keep=True)
    found = await store.get([key for key, _ in rows])
    assert found.keys() == {"a", "b"}
    assert all(same(found[key.id], vectors) for key, vectors in rows)


@promise("memory.tokens.fresh")
@pytest.mark.parametrize("changed", [{"text": "another text"}, {"model": "another model"}])
async def test_another_text_or_model_finds_nothing_and_takes_the_place(store: Store, changed: dict[str, str]) -> None:
    await store.put([a_row("a", 0)], keep=True)
    key, vectors = a_row("a", 1, **changed)
    assert await store.get([key]) == {}
    await store.put([(key, vectors)], keep=True)
    assert same((await store.get([key]))["a"], vectors)
    assert await store.get([a_row("a", 0)[0]]) == {}


async def test_erased_records_have_no_vectors(store: Store) -> None:
    rows = [a_row(name, 0) for name in "abc"]
    await store.put(rows, keep=True)
    assert await store.erase(Erasure(ids=("a", "c", "never"), texts=())) == 2
    await store.wipe()
    assert (await store.get([key for key, _ in rows])).keys() == {"b"}


async def test_more_records_than_one_statement_takes_can_be_asked_for(store: Store) -> None:
    rows = [a_row(f"record-{number}", number % 384) for number in range(1_200)]
    await store.put(rows, keep=False)
    assert len(await store.get([key for key, _ in rows])) == 1_200


def bounded(kind: str, path: Path, rows: int) -> Store:
    if kind == "fake":
        return FakeTokenStore(max_bytes=rows * ROW_BYTES)
    return SqliteTokenStore(path, clock=SystemClock(), max_bytes=rows * ROW_BYTES)


@promise("memory.tokens.bounded")
@pytest.mark.parametrize("kind", ["fake", "sqlite"])
async def test_beyond_the_bound_what_may_go_goes_before_what_is_kept(kind: str, path: Path) -> None:
    store = bounded(kind, path, rows=100)
    kept = [a_row(f"kept-{number}", 0) for number in range(40)]
    await store.put(kept, keep=True)
    loose = [a_row(f"loose-{number}", 0) for number in range(200)]
    for row in loose:
        await store.put([row], keep=False)
    there = await store.get([key for key, _ in loose])
    assert len(await store.get([key for key, _ in kept])) == 40
    assert 40 <= len(there) <= 66
    assert "loose-199" in there


async def test_many_short_processes_keep_to_the_bound_too(path: Path) -> None:
    for number in range(30):
        with closing(SqliteTokenStore(path, clock=SystemClock(), max_bytes=10 * ROW_BYTES)) as store:
            await store.put([a_row(f"record-{number}", 0)], keep=True)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM tokens").fetchone()[0] <= 11


def test_nothing_is_opened_before_it_is_used(path: Path) -> None:
    SqliteTokenStore(path, clock=SystemClock()).close()
    assert not path.exists()


async def test_the_file_and_its_log_are_for_their_owner_only(path: Path) -> None:
    with closing(SqliteTokenStore(path, clock=SystemClock())) as store:
        await store.put([a_row("a", 0)], keep=True)
        modes = {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    assert modes == {0o600}


@promise("memory.tokens.damage")
@pytest.mark.parametrize("damage", [b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
async def test_a_damaged_file_is_made_anew_with_a_warning(
    path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    lay(path, damage)
    row = a_row("a", 0)
    with closing(SqliteTokenStore(path, clock=SystemClock())) as store, caplog.at_level(logging.WARNING):
        assert await store.get([row[0]]) == {}
        await store.put([row], keep=True)
        assert (await store.get([row[0]])).keys() == {"a"}
    assert "made anew" in caplog.text
    assert [one.name for one in path.parent.iterdir()] == ["tokens.sqlite"]


@promise("memory.tokens.damage")
async def test_a_page_that_is_damaged_while_it_is_open_is_got_over(path: Path) -> None:
    rows = [a_row(f"record-{number}", *range(20)) for number in range(50)]
    with closing(SqliteTokenStore(path, clock=SystemClock())) as store:
        await store.put(rows, keep=True)
    content = bytes_beside(path)
    lay(path, content[:4096] + b"\xff" * (len(content) - 4096))
    with closing(SqliteTokenStore(path, clock=SystemClock())) as store:
        assert await store.get([key for key, _ in rows]) == {}
        await store.put(rows[:1], keep=True)
        assert (await store.get([rows[0][0]])).keys() == {"record-0"}


async def test_vectors_whose_bytes_changed_are_not_there(path: Path) -> None:
    row = a_row("a", 0, 1)
    with closing(SqliteTokenStore(path, clock=SystemClock())) as store:
        await store.put([row], keep=True)
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("UPDATE tokens SET data = zeroblob(length(data))")
        assert await store.get([row[0]]) == {}


async def test_a_file_deleted_under_way_is_made_anew(path: Path) -> None:
    row = a_row("a", 0)
    with closing(SqliteTokenStore(path, clock=SystemClock())) as store:
        await store.put([row], keep=True)
        for one in path.parent.iterdir():
            one.unlink()
        assert await store.get([row[0]]) == {}
        await store.put([row], keep=True)
        assert (await store.get([row[0]])).keys() == {"a"}


async def test_an_older_form_of_the_file_is_made_anew(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE tokens (something TEXT)")
    row = a_row("a", 0)
    with closing(SqliteTokenStore(path, clock=SystemClock())) as store:
        await store.put([row], keep=True)
        await store.put([row], keep=True)
        assert (await store.get([row[0]])).keys() == {"a"}


def full(path: Path) -> SqliteTokenStore:
    """Return a store whose file may not grow, as on a full disk."""
    store = SqliteTokenStore(path, clock=SystemClock())
    connection = store._opened()
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    return store


@promise("memory.tokens.full-disk")
async def test_on_a_full_disk_nothing_is_kept_and_one_warning_says_so(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(full(path)) as store, caplog.at_level(logging.WARNING):
        for number in range(3):
            await store.put([a_row(f"record-{number}", *range(100))], keep=True)
        assert await store.get([a_row("record-0", 0)[0]]) == {}
    assert len(caplog.records) == 1
    assert "full" in caplog.text


async def test_a_folder_that_cannot_be_made_costs_a_warning_and_no_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "db").write_text("a file in its place", encoding="utf-8")
    with closing(SqliteTokenStore(tmp_path / "db" / "tokens.sqlite", clock=SystemClock())) as store:
        await store.put([a_row("a", 0)], keep=True)
        assert await store.get([a_row("a", 0)[0]]) == {}
    assert len(caplog.records) == 1


@promise("memory.tokens.forgotten")
async def test_after_erasing_and_wiping_no_byte_of_a_record_is_left(path: Path) -> None:
    with closing(SqliteTokenStore(path, clock=SystemClock())) as store:
        key, vectors = a_row("01a203e0-secret", *range(50), text="a secret")
        await store.put([(key, vectors), a_row("other", 7)], keep=True)
        await store.erase(Erasure(ids=(key.id,), texts=()))
        await store.wipe()
        left = bytes_beside(path)
        assert b"01a203e0-secret" not in left
        assert key.digest.encode() not in left
        assert (await store.get([a_row("other", 7)[0]])).keys() == {"other"}


@promise("memory.tokens.forgotten")
async def test_what_cannot_be_erased_goes_with_the_whole_file(path: Path) -> None:
    lay(path, b"damaged, and the secret may be in it")
    with closing(SqliteTokenStore(path, clock=SystemClock())) as store:
        await store.erase(Erasure(ids=("a",), texts=()))
        await store.wipe()
    assert bytes_beside(path) == b""


async def test_a_file_that_can_be_neither_changed_nor_removed_is_an_error(path: Path) -> None:
    lay(path / "inside", b"")  # a folder in its place
    with (
        closing(SqliteTokenStore(path, clock=SystemClock())) as store,
        pytest.raises(StoreError, match="cannot remove"),
    ):
        await store.erase(Erasure(ids=("a",), texts=()))


_WRITER = """
import asyncio, sys
from pathlib import Path
import numpy as np
from ourcli.common.clock import SystemClock
from ourcli.memory.backends.token_store import SqliteTokenStore
from ourcli.memory.tokens import TokenKey, compact

async def main() -> None:
    store = SqliteTokenStore(Path(sys.argv[1]), clock=SystemClock())
    for number in range(40):
        key = TokenKey.of(f"{sys.argv[2]}-{number}", "text", "model")
        await store.put([(key, compact(np.eye(384, dtype=np.float32)[:3]))], keep=True)
    store.close()

asyncio.run(main())
"""


def write_from_two_processes(path: Path) -> list[int]:
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(path), name]) for name in "ab"]
    return [writer.wait(timeout=60) for writer in writers]


@promise("memory.tokens.two-processes")
async def test_two_processes_that_write_at_once_lose_nothing(path: Path) -> None:
    assert write_from_two_processes(path) == [0, 0]
    keys = [TokenKey.of(f"{name}-{number}", "text", "model") for name in "ab" for number in range(40)]
    with closing(SqliteTokenStore(path, clock=SystemClock())) as store:
        assert len(await store.get(keys)) == 80
