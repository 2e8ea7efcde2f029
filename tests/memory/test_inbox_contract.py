"""What every inbox promises; the same tests run on the fake and on the store's SQLite file."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ourcli.common.ids import new_id
from ourcli.memory.backends.schema import open_database
from ourcli.memory.backends.sqlite_inbox import SqliteInbox
from ourcli.memory.inbox import Inbox, Proposal, Verdict
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import SourceDigest, Verb
from ourcli.memory.policy.action import Action
from ourcli.testing.ledger import FakeInbox
from tests.promises import promise
from tests.support.records import NOON

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["fake", "sqlite"])
def inbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Inbox]:
    if request.param == "fake":
        yield FakeInbox()
        return
    database = open_database(tmp_path / "db" / "journal.sqlite")
    yield SqliteInbox(database)
    database.close()


def a_proposal(record_id: str = "a", version: str = "v1") -> Proposal:
    action = Action(
        rule="promote-decision",
        rule_version="ab" * 32,
        verb=Verb.PROMOTE,
        record_ids=(record_id,),
        origin=Layer.INTERACT,
        target=Layer.INSIGHTS,
        because="33 h old (more than 24 h)",
        inputs={"records": [{"id": record_id, "tags": ["decision"]}]},
        distil=True,
        tags=("kept",),
    )
    at = NOON + timedelta(microseconds=5)
    return Proposal(id=new_id(NOON), at=at, action=action, versions=(SourceDigest(id=record_id, sha256=version),))


async def test_what_was_never_proposed_is_not_there(inbox: Inbox) -> None:
    assert await inbox.proposal("0190") is None
    assert await inbox.waiting() == []
    assert not await inbox.decide("0190", Verdict.ACCEPTED)
    assert await inbox.propose([]) == ()


async def test_a_proposal_comes_back_with_every_field(inbox: Inbox) -> None:
    first, expiry = a_proposal(), a_proposal("b")
    expiry = replace(expiry, action=replace(expiry.action, verb=Verb.EXPIRE, target=None))

    new = await inbox.propose([first, expiry])

    assert new == (first, expiry)
    assert await inbox.waiting() == [first, expiry]
    assert await inbox.proposal(first.id) == first


@promise("memory.inbox.once")
async def test_the_same_move_of_the_same_version_is_proposed_once(inbox: Inbox) -> None:
    waiting, rejected, stale = a_proposal("a"), a_proposal("b"), a_proposal("c")
    await inbox.propose([waiting, rejected, stale])
    await inbox.decide(rejected.id, Verdict.REJECTED)
    await inbox.decide(stale.id, Verdict.STALE)

    again = await inbox.propose([a_proposal("a"), a_proposal("b"), a_proposal("c"), a_proposal("b", "v2")])

    assert [(one.action.record_ids[0], one.versions[0].sha256) for one in again] == [("c", "v1"), ("b", "v2")]
    assert [one.id for one in await inbox.waiting()] == [waiting.id, *(one.id for one in again)]


async def test_a_proposal_is_decided_once(inbox: Inbox) -> None:
    one = a_proposal()
    await inbox.propose([one])

    first = await inbox.decide(one.id, Verdict.ACCEPTED)
    second = await inbox.decide(one.id, Verdict.REJECTED)

    found = await inbox.proposal(one.id)
    assert (first, second) == (True, False)
    assert found is not None
    assert found.verdict is Verdict.ACCEPTED
