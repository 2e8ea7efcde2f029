"""The journal's file: whole or a clear error, private, and the same for every process."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from ourcli.common.errors import StoreError
from ourcli.memory.backends.schema import open_database
from ourcli.memory.backends.sqlite_journal import SqliteJournal
from ourcli.memory.journal import Change
from tests.promises import promise
from tests.support.records import a_record, axis


def put(text: str) -> Change:
    record = a_record(text)
    return Change(id=record.id, row=(record, axis(0)[0]))


def journal_at(path: Path) -> SqliteJournal:
    return SqliteJournal(open_database(path))


def drop(journal: SqliteJournal, last: int) -> None:
    journal.drop(last, {}, "")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "db" / "journal.sqlite"


def overwritten(path: Path) -> None:
    path.write_bytes(b"not a database" * 1_000)


def torn(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:4096] + bytes(len(data) - 4096))


def altered(path: Path) -> None:
    data = path.read_bytes()
    assert data.count(b"remember me") == 1
    path.write_bytes(data.replace(b"remember me", b"remember you"[:11]))


@promise("memory.journal.damage")
@pytest.mark.parametrize("damage", [overwritten, torn, altered])
def test_a_damaged_journal_is_an_error_that_names_the_file(path: Path, damage: Callable[[Path], None]) -> None:
    journal = journal_at(path)
    journal.append([put("remember me")])
    journal.close()
    damage(path)
    with pytest.raises(StoreError, match="damaged") as raised:
        journal_at(path).changes()
    assert str(path) in raised.value.message
    assert "doctor --repair" in raised.value.hint


@promise("memory.journal.damage")
def test_a_journal_of_a_later_version_is_refused(path: Path) -> None:
    journal_at(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="later ourcli"):
        journal_at(path)


def test_a_folder_in_the_place_of_the_journal_is_a_clear_error(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot open the write journal"):
        journal_at(path)


@promise("memory.journal.private")
def test_the_journal_is_readable_by_its_owner_only(path: Path) -> None:
    journal = journal_at(path)
    journal.append([put("secret")])
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.glob("journal.sqlite*")}
    journal.close()
    assert modes == {"journal.sqlite": 0o600, "journal.sqlite-wal": 0o600, "journal.sqlite-shm": 0o600}


def test_changes_are_the_same_object_until_someone_changes_something(path: Path) -> None:
    one, two = journal_at(path), journal_at(path)
    one.append([put("a")])
    first = two.changes()
    assert two.changes() is first
    one.append([put("b"), Change(id="x", row=None)])
    assert [change.row is None for change in two.changes()] == [False, False, True]
    one.close()
    two.close()


def test_what_is_dropped_is_gone_for_everyone_and_its_place_is_never_given_again(path: Path) -> None:
    one, two = journal_at(path), journal_at(path)
    one.append([put("a"), put("b")])
    last = two.changes()[-1].seq
    drop(one, last)
    assert two.changes() == ()
    size = one.append([put("c")])
    assert [change.seq for change in two.changes()] == [last + 1]
    assert size.rows == 1
    one.close()
    two.close()


def test_the_size_grows_with_the_changes(path: Path) -> None:
    journal = journal_at(path)
    small = journal.append([put("a")])
    large = journal.append([put("x" * 100_000)])
    journal.close()
    assert (small.rows, large.rows) == (1, 2)
    assert large.bytes - small.bytes >= 100_000


def test_where_nothing_can_be_written_the_journal_is_read_and_refuses_changes(path: Path) -> None:
    written = journal_at(path)
    written.append([put("kept")])
    written.close()
    Path(f"{path}-shm").mkdir()
    journal = journal_at(path)
    assert [change.row[0].text for change in journal.changes() if change.row] == ["kept"]
    with pytest.raises(StoreError, match="cannot write to memory"):
        journal.append([put("refused")])
    journal.close()
