"""What counts as use of a record, with real models: cited, opened and found; not measured, listed or simulated."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from ourcli.app.lifetime import open_service
from ourcli.app.requests import AskRequest, NewRecord
from ourcli.common.clock import SystemClock
from ourcli.memory.backends.schema import JOURNAL, open_database
from ourcli.memory.backends.sqlite_usage import SqliteUsageBook
from ourcli.memory.query import Filter, Query
from ourcli.memory.usage import Usage
from tests.promises import promise

pytestmark = [pytest.mark.anyio, pytest.mark.models]
FACT = "the office plant is called Ferdinand"
OTHER = "the printer hates the rain on Tuesdays"


async def usage_of(home: Path, record_id: str) -> Usage | None:
    """Return what stands in the file after the service was closed."""
    database = open_database(home / "lancedb" / JOURNAL)
    try:
        return (await SqliteUsageBook(database, SystemClock()).of([record_id])).get(record_id)
    finally:
        database.close()


@pytest.mark.usefixtures("folder")
@promise("memory.usage.what-counts")
async def test_found_opened_and_cited_count_as_use(home: Path) -> None:
    async with open_service() as service:
        plant, printer = (await service.add([NewRecord(text=FACT), NewRecord(text=OTHER)])).ids
        found = await service.search(Query(text="what is the plant called?", limit=1))
        await service.search(Query(text="What is the  PLANT called?", limit=1))
        await service.get(plant)
        answer = await service.ask(AskRequest(text="How is the office plant called?"))

    assert [hit.record.id for hit in found.hits] == [plant]
    assert plant in [one.record_id for one in answer.citations]
    used = await usage_of(home, plant)
    assert used is not None
    assert (used.uses, used.distinct_queries) == (4, 2)
    assert printer in [one.record_id for one in answer.citations] or await usage_of(home, printer) is None


@pytest.mark.usefixtures("folder")
@promise("memory.usage.what-counts")
async def test_measuring_listing_and_simulating_are_no_use(home: Path, tmp_path: Path) -> None:
    corpus, queries = tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl"
    corpus.write_text(json.dumps({"id": "d1", "text": FACT}) + "\n")
    queries.write_text(json.dumps({"id": "q1", "query": "plant", "relevant": {"d1": 1}}) + "\n")
    async with open_service() as service:
        (plant,) = (await service.add([NewRecord(text=FACT)])).ids
        await service.bench_retrieval(corpus, queries, 0)
        await service.records(Filter(), None)
        await service.lifecycle.simulate(SystemClock().now() + timedelta(days=100))
        await service.lifecycle.why(plant)

    assert await usage_of(home, plant) is None
