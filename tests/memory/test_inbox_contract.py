"""What every inbox promises; the same tests run on the fake and on the store's SQLite file."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ourcli.memory.backends.schema import open_database
from ourcli.memory.backends.sqlite_inbox import SqliteInbox
from ourcli.memory.inbox import Inbox, Verdict
from ourcli.memory.ledger import Verb
from ourcli.testing.ledger import FakeInbox
from tests.promises import promise
from tests.support.ledger import a_proposal

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["fake", "sqlite"])
def inbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Inbox]:
    if request.param == "fake":
        yield FakeInbox()
        return
    database = open_database(tmp_path / "db" / "journal.sqlite")
    yield SqliteInbox(database)
    database.close()


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


async def test_what_was_accepted_can_be_proposed_again_when_it_is_due_again(inbox: Inbox) -> None:
    accepted, again = a_proposal("a"), a_proposal("a")
    await inbox.propose([accepted])
    await inbox.decide(accepted.id, Verdict.ACCEPTED)

    new = await inbox.propose([again])

    assert new == (again,)
    assert await inbox.waiting() == [again]


async def test_a_proposal_is_decided_once(inbox: Inbox) -> None:
    one = a_proposal()
    await inbox.propose([one])

    first = await inbox.decide(one.id, Verdict.ACCEPTED)
    second = await inbox.decide(one.id, Verdict.REJECTED)

    found = await inbox.proposal(one.id)
    assert (first, second) == (True, False)
    assert found is not None
    assert found.verdict is Verdict.ACCEPTED
