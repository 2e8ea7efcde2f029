"""A decision of two days ago, promoted with real models, explained and taken back."""

import json
from datetime import timedelta

import pytest

from ourcli.app.lifetime import open_service
from ourcli.app.requests import NewRecord
from ourcli.common.clock import SystemClock
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import SourceDigest
from ourcli.memory.query import Filter, Query
from ourcli.memory.record import Record
from tests.promises import promise
from tests.support.process import CommandLine

pytestmark = pytest.mark.models
LONG = (
    "Hi everybody, hope you had a nice weekend! The weather was great here. We decided to keep invoices for 7 years, "
    "as the law asks. Anyway, see you all at lunch, and thanks for the cake. Was it Anna who baked it?"
)


@promise("memory.undo.exact")
def test_undo_restores_what_get_prints_byte_for_byte(ourcli: CommandLine) -> None:
    long_ago = (SystemClock().now() - timedelta(days=2)).isoformat()
    added = ourcli.run("memory", "add", LONG, "--layer", "interact", "--tag", "decision", "--ts", long_ago, "--json")
    (record_id,) = added.document["ids"]
    before = ourcli.run("memory", "get", record_id, "--json")

    applied = ourcli.run("memory", "policy", "apply", "--json")
    promoted = ourcli.run("memory", "get", record_id, "--json")
    explained = ourcli.run("memory", "why", record_id, "--json")
    (entry,) = explained.document["ledger"]
    undone = ourcli.run("memory", "undo", entry["id"], "--json")
    after = ourcli.run("memory", "get", record_id, "--json")

    assert [one["rule"] for one in applied.document["actions"]] == ["promote-decision"]
    assert promoted.document["record"]["layer"] == "insights"
    assert "7 years" in promoted.document["record"]["text"]
    assert "cake" not in promoted.document["record"]["text"]
    assert entry["rule"] == "promote-decision"
    assert len(entry["rule_version"]) == 64
    assert [one["id"] for one in entry["sources"]] == [record_id]
    assert entry["trace_id"]
    assert undone.code == 0
    assert json.loads(after.out) == json.loads(before.out)
    assert after.out == before.out


@pytest.mark.anyio
@pytest.mark.usefixtures("folder")
@promise("memory.lifecycle.simulate")
async def test_what_is_simulated_in_a_hundred_days_is_what_is_applied_then() -> None:
    later = SystemClock().now() + timedelta(days=100)
    async with open_service() as service:
        stored = await service.add(
            [
                NewRecord(text=LONG, layer=Layer.INTERACT, tags=("decision",)),
                NewRecord(text="small talk about the weather", layer=Layer.INTERACT),
                NewRecord(text="The cache is SQLite. It is fast.", layer=Layer.INSIGHTS),
                NewRecord(text="The queue is a table. It is slow.", layer=Layer.INSIGHTS),
            ]
        )
        records: dict[str, Record] = {one.id: one for one in await service.records(Filter(), None)}
        announced = await service.lifecycle.simulate(later)
        same = await service.records(Filter(), None)
        applied = await service.lifecycle.apply(later)
        found = await service.search(Query(text="how long are invoices kept?", limit=1))

    assert len(stored.ids) == 4
    assert {one.id: one for one in same} == records
    assert applied.actions == tuple(announced)
    assert {one.rule for one in announced} == {"promote-decision", "expire-interact", "demote-stale-insight"}
    assert [one.sources for one in applied.entries] == [
        tuple(SourceDigest.of(records[record_id]) for record_id in one.record_ids) for one in announced
    ]
    assert found.hits[0].record.layer is Layer.INSIGHTS
