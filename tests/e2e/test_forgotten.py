"""Forgotten means gone: records of every layer, used in every way, leave no byte in any file under the home.

Lance compresses text, which hides it from a byte search. So every version of every table that can still be opened is
read too, row by row, and vectors, which are stored as they are, are searched for by their bytes.
"""

import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from ourcli.app.lifetime import open_service
from ourcli.app.memory.stores import open_store
from ourcli.app.requests import AskRequest, NewRecord
from ourcli.app.service import Service
from ourcli.common.clock import SystemClock
from ourcli.common.forgetting import Erasure
from ourcli.config.locations import Home
from ourcli.memory.backends.lance_opening import TABLES, connect
from ourcli.memory.backends.sqlite_erasures import SqliteErasures
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter, Query
from ourcli.memory.vectors import Vector
from tests.promises import promise
from tests.support.process import CommandLine
from tests.support.traces import traces

pytestmark = pytest.mark.anyio
DECISION = "We decided that the zanzibarfish cache lives for fourteen custardplasma minutes."
SAID = "Wolframitz told me that the quetzalbridge is repaired with marzipansteel."
LATER = "Übermorgen kommt die Rhabarberlokomotive nach Xanthippehausen 🎉."
IN_A_FILE = "The blunderbusskeeper oils the glockenspielhammer every thursday."
TEXTS = (DECISION, SAID, LATER, IN_A_FILE)
SESSION = "talk-on-bridges"
OTHERS = [f"an ordinary remark number {number} on compilers and weather" for number in range(60)]


@pytest.fixture
async def service(folder: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    monkeypatch.setenv("OURCLI_AI_LLM_MODEL", str(tiny))
    async with open_service() as opened:
        yield opened


async def use_in_every_way(service: Service, folder: Path, home: Path) -> tuple[str, ...]:
    """Store the texts in all layers, let everything that keeps traces keep them, return the ids."""
    await service.add([NewRecord(text=text) for text in OTHERS])
    (decision,) = (await service.add([NewRecord(text=DECISION, tags=("decision",))])).ids
    turns = [
        NewRecord(text=SAID, layer=Layer.INTERACT, session=SESSION, speaker="Ann", turn=0),
        NewRecord(text="I see, and why?", layer=Layer.INTERACT, session=SESSION, speaker="Bob", turn=1),
        NewRecord(text=LATER, layer=Layer.INTERACT, session=SESSION, speaker="Ann", turn=2),
    ]
    said = (await service.add(turns)).ids
    (folder / "docs").mkdir()
    (folder / "docs" / "keeper.md").write_text(f"# Keeper\n\n{IN_A_FILE}\n")
    await service.ingest([folder / "docs"], None)
    for text in TEXTS:
        await service.search(Query(text=text, rerank=32))
    await service.ask(AskRequest(text="how long does the cache live?", session="asking", max_tokens=8))
    await service.lifecycle.promote(said[0], Layer.INSIGHTS)
    await service.lifecycle.demote(decision)
    moved = await service.lifecycle.promote(decision, Layer.INSIGHTS)
    await service.lifecycle.undo(moved.id)
    await service.lifecycle.pin([decision], pinned=True)
    await service.lifecycle.pin([decision], pinned=False)
    await service.lifecycle.apply(SystemClock().now() + timedelta(days=3))
    logging.getLogger("ourcli.test").warning("cannot read %s", LATER)
    history = Home(home).chat_history
    history.parent.mkdir(parents=True, exist_ok=True)
    history.write_text(f"\n# 2026-11-22\n+kept line\n\n# 2026-11-22\n+/decide {DECISION}\n")
    chunks = [one.id for one in await service.records(Filter(layers=(Layer.ASSETS,)), None) if one.source]
    return (decision, *chunks)


async def vectors_of(home: Path) -> dict[str, Vector]:
    """Return the vectors of the texts wherever they stand: in the tables and in the ledger."""
    store = await open_store(home / "lancedb")
    found: dict[str, Vector] = {}
    async for rows in store.scan(Filter(), 256):
        found |= {record.text: vector for record, vector in rows}
    await store.aclose()
    return {text: vector for text, vector in found.items() if any(one in text for one in TEXTS)}


async def rows_of_all_versions(home: Path) -> str:
    """Return everything that can still be read of any version of any table."""
    database, read = await connect(home / "lancedb"), ""
    for name in TABLES:
        table = await database.open_table(name)
        for version in await table.list_versions():
            await table.checkout(version["version"])
            rows = await table.query().to_arrow()
            read += str([rows[column].to_pylist() for column in rows.column_names if column != "embedding"])
    return read


@promise("memory.forget.bytes-gone")
async def test_after_vacuum_no_file_holds_anything_of_what_was_forgotten(
    folder: Path, tiny: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURCLI_AI_LLM_MODEL", str(tiny))
    async with open_service() as service:
        ids = await use_in_every_way(service, folder, home)
    vectors = list((await vectors_of(home)).values())
    assert len(vectors) >= 2
    assert traces(home, TEXTS, vectors)

    async with open_service() as service:
        await service.forget(ids, cascade=True)
        await service.forget(session=SESSION, cascade=True)
        forgotten_only = traces(home, TEXTS)
        await service.vacuum()
        kept = [record.text for record in await service.records(Filter(), None)]
        found = await service.search(Query(text="zanzibarfish custardplasma quetzalbridge", rerank=0))

    assert forgotten_only, "the test must see what only vacuum removes"
    assert traces(home, TEXTS, vectors, ids=ids) == []
    readable = await rows_of_all_versions(home)
    assert not [text for text in TEXTS if text in readable]
    assert set(OTHERS) <= set(kept)
    assert all("zanzibarfish" not in hit.record.text for hit in found.hits)
    assert "+kept line" in Home(home).chat_history.read_text()


@promise("memory.forget.finished")
async def test_a_forgetting_that_was_cut_off_is_finished_by_the_next_command(service: Service, home: Path) -> None:
    (decision, other) = (await service.add([NewRecord(text=DECISION), NewRecord(text=OTHERS[0])])).ids
    store = await open_store(home / "lancedb")
    await SqliteErasures(store.database).begin(Erasure(ids=(decision,), texts=(DECISION,)))
    await store.aclose()

    async with open_service() as after:
        left = [record.id for record in await after.records(Filter(), None)]
        await after.vacuum()

    assert left == [other]
    assert traces(home, [DECISION], ids=[decision]) == []


@promise("memory.vacuum")
def test_forget_and_vacuum_as_commands(ourcli: CommandLine, home: Path) -> None:
    first = ourcli.run("memory", "add", DECISION, "--json").document["ids"][0]
    ourcli.run("memory", "add", OTHERS[0])

    forgotten = ourcli.run("memory", "forget", first, "--cascade", "--json").document
    vacuumed = ourcli.run("memory", "vacuum", "--json").document
    again = ourcli.run("memory", "vacuum", "--json").document

    assert forgotten == {"forgotten": [first]}
    assert set(vacuumed) == {"flushed", "expired", "compacted", "indexed"}
    assert again == {"flushed": 0, "expired": 0, "compacted": 0, "indexed": 0}
    assert traces(home, [DECISION], ids=[first]) == []
