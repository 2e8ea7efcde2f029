"""What ledger, usage and inbox hold of a record goes with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ourcli.common.errors import InvalidInputError
from ourcli.common.forgetting import Erasure
from ourcli.memory.backends.database import Database
from ourcli.memory.backends.schema import open_database
from ourcli.memory.backends.sqlite_forgetting import LedgerForgetting
from ourcli.memory.backends.sqlite_inbox import SqliteInbox
from ourcli.memory.backends.sqlite_ledger import SqliteLedger, write_entries
from ourcli.memory.backends.sqlite_usage import SqliteUsageBook
from ourcli.memory.ledger import Verb
from ourcli.memory.lifecycle.moves import change
from ourcli.memory.lifecycle.undoing import Undoing
from ourcli.memory.usage import Usage, Use
from ourcli.testing.clock import FrozenClock
from ourcli.testing.memory import FakeRecordStore
from tests.promises import promise
from tests.support.ledger import a_promotion, a_proposal, a_reason, an_image, an_undo, plain
from tests.support.records import NOON

pytestmark = pytest.mark.anyio


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "db" / "journal.sqlite")
    yield opened
    opened.close()


def bytes_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_forgetting_what_nobody_knows_changes_nothing(database: Database) -> None:
    forgetting = LedgerForgetting(database, SqliteUsageBook(database, FrozenClock(NOON)))

    assert await forgetting.erase(Erasure(ids=("0190",), texts=("nothing",))) == 0
    assert await forgetting.erase(Erasure(ids=(), texts=())) == 0
    await forgetting.wipe()


@promise("memory.ledger.forgotten")
async def test_a_forgotten_record_leaves_no_byte_in_the_file(database: Database, tmp_path: Path) -> None:
    usage, inbox = SqliteUsageBook(database, FrozenClock(NOON)), SqliteInbox(database)
    secret, kept = an_image("the treasure is buried"), an_image("what stays")
    promotion, other = a_promotion(secret), a_promotion(kept)
    with database.writing() as connection:
        write_entries(connection, [promotion, other])
        write_entries(connection, [an_undo(promotion)])
    ids = (secret.record.id, kept.record.id)
    await usage.note(Use(ids=ids, at=NOON, query="where?"))
    await usage.flush()
    await usage.note(Use(ids=ids, at=NOON, query="when?"))
    await usage.pin(ids, pinned=True)
    await inbox.propose([a_proposal(secret.record.id), a_proposal(kept.record.id)])
    forgetting = LedgerForgetting(database, usage)

    gone = await forgetting.erase(Erasure(ids=(secret.record.id,), texts=(secret.record.text,)))
    await usage.flush()
    await forgetting.wipe()

    left = bytes_of(tmp_path / "db")
    assert gone == 5  # two entries, a use, a pin and a proposal
    assert b"treasure" not in left
    assert secret.record.id.encode() not in left
    assert await usage.of(ids) == {kept.record.id: Usage(last_used=NOON, uses=2, distinct_queries=2, pinned=True)}
    assert [one.action.record_ids for one in await inbox.waiting()] == [(kept.record.id,)]
    assert [one.id for one in await SqliteLedger(database).since(None)] == [other.id]


@promise("memory.ledger.forgotten")
async def test_an_entry_keeps_what_it_tells_of_the_rest_and_is_not_undone(database: Database, tmp_path: Path) -> None:
    secret, kept, summary = an_image("the treasure"), an_image("what stays", place=1), an_image("short", place=2)
    inputs = {"records": [{"id": secret.record.id, "tags": ["treasure"]}, {"id": kept.record.id}], "why": "old"}
    entry = change(a_reason(Verb.SUMMARISE, inputs=inputs), [secret, kept], [summary]).entry
    with database.writing() as connection:
        write_entries(connection, [entry])
    usage, ledger = SqliteUsageBook(database, FrozenClock(NOON)), SqliteLedger(database)
    forgetting = LedgerForgetting(database, usage)

    gone = await forgetting.erase(Erasure(ids=(secret.record.id,), texts=(secret.record.text,)))
    await forgetting.wipe()

    found = await ledger.entry(entry.id)
    assert found is not None
    assert gone == 1
    assert b"treasure" not in bytes_of(tmp_path / "db")
    assert found.touched == (kept.record.id, summary.record.id)
    assert found.layers.keys() == {kept.record.id, summary.record.id}
    assert [one.id for one in found.sources] == [kept.record.id]
    assert plain(found.before) == plain([kept])
    assert found.inputs["records"] == [{"id": kept.record.id}]
    undoing = Undoing(FakeRecordStore(), ledger, usage, undo_days=30)
    with pytest.raises(InvalidInputError, match="no images"):
        await undoing.inverse(entry.id, undo_id="0191", now=NOON, trace_id="")
