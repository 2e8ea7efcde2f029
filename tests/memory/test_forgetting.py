"""What memory is asked when it forgets: children by their parents, and words in the contexts of others."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from ourcli.common.clock import SystemClock
from ourcli.common.forgetting import Erasure
from ourcli.common.ids import RecordId
from ourcli.memory.backends.journaled_store import JournaledStore, open_journaled
from ourcli.memory.backends.sqlite_forgetting import LedgerForgetting
from ourcli.memory.backends.sqlite_ledger import SqliteLedger
from ourcli.memory.backends.sqlite_usage import SqliteUsageBook
from ourcli.memory.forgetting import RecordsForgetting, without_words
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Image, LedgerEntry, Verb
from ourcli.memory.ports import RecordStore
from ourcli.memory.query import Filter
from ourcli.testing.memory import FakeRecordStore
from tests.promises import promise
from tests.support.records import NOON, a_record, axis

pytestmark = pytest.mark.anyio
SAID = "we eat custardplasma"
CONTEXT = f"Ann, 8 May 2023\n{SAID}"


@pytest.fixture
async def real(tmp_path: Path) -> AsyncIterator[JournaledStore]:
    store = await open_journaled(tmp_path / "db")
    yield store
    await store.aclose()


@pytest.fixture(params=["fake", "journal", "tables"])
async def store(request: pytest.FixtureRequest, real: JournaledStore) -> RecordStore:
    return FakeRecordStore() if request.param == "fake" else real


async def test_nothing_was_made_from_an_unknown_record(store: RecordStore) -> None:
    await store.upsert([a_record("alone")], axis(0))

    assert await store.fetch(Filter(parents=("it's nobody', ''",))) == []


@promise("memory.forget.cascade")
@pytest.mark.parametrize("flushed", [False, True])
async def test_children_are_found_by_any_of_their_parents(store: RecordStore, flushed: bool) -> None:
    one = a_record("one", parents=(RecordId("it's a"), RecordId("b")))
    two = a_record("two", parents=(RecordId("c"),), layer=Layer.ASSETS)
    await store.upsert([one, two, a_record("none")], axis(0, 1, 2))
    if flushed:
        await store.flush()

    assert {found.id for found in await store.fetch(Filter(parents=("it's a", "c")))} == {one.id, two.id}
    assert [found.id for found in await store.fetch(Filter(parents=("b", "x")))] == [one.id]


@promise("memory.forget.context")
async def test_contexts_in_tables_and_ledger_lose_the_words_alike(real: JournaledStore) -> None:
    spoken = a_record(SAID, session="s", turn=0)
    after = a_record("why not", session="s", turn=1, context=CONTEXT)
    await real.upsert([spoken, after], axis(0, 1))
    image = Image(record=after, vector=axis(1)[0])
    moved = replace(after, layer=Layer.ASSETS)
    entry = LedgerEntry(
        id="e",
        verb=Verb.PROMOTE,
        rule="r",
        rule_version="v",
        at=NOON,
        before=(image,),
        after=(Image(record=moved, vector=axis(1)[0]),),
        touched=(after.id,),
        layers={after.id: ("insights", "assets")},
    )
    await real.commit(upserts=[Image(record=moved, vector=axis(1)[0])], entries=[entry])
    what = Erasure(ids=(spoken.id,), texts=(SAID,), talks=(("default", "s"),))

    await RecordsForgetting(real).erase(what)
    await LedgerForgetting(real.database, SqliteUsageBook(real.database, SystemClock())).erase(what)

    (left,) = await real.fetch(Filter())
    (told,) = await SqliteLedger(real.database).since(None)
    assert left.context == "Ann, 8 May 2023"
    assert told.after[0].record == left
    assert told.before[0].record.context == "Ann, 8 May 2023"


@pytest.mark.parametrize(
    ("context", "texts", "left"),
    [
        ("", [SAID], ""),
        (CONTEXT, ["something else"], CONTEXT),
        (CONTEXT, [SAID], "Ann, 8 May 2023"),
        (SAID, [SAID], ""),
        (f"Ann\n{'x' * 50} {SAID}", [f"{'y' * 300} {'x' * 50} {SAID}"], "Ann"),
        ("Ann\nok", ["ok"], "Ann"),
        ("Ann\nit looks fine", ["ok"], "Ann\nit looks fine"),
        (f"Ann\n{('word ' * 60)[-200:].partition(' ')[2]}", ["word " * 60], "Ann"),
    ],
)
def test_a_context_loses_what_repeats_a_text(context: str, texts: list[str], left: str) -> None:
    assert without_words(a_record("x", context=context), texts).context == left
