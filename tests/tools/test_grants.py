"""Grants as values: how long they hold, what they are bound to, what changed since."""

from datetime import timedelta

import pytest

from ourcli.common.errors import StoreError
from ourcli.testing.clock import FrozenClock
from ourcli.testing.grants import NOON, FakeGrantBook, a_grant, an_origin
from ourcli.testing.tools import a_spec
from ourcli.tools.capabilities import Quota, parse
from ourcli.tools.grants import Facts, Until, before, difference, facts_of, how_to_grant, quotas
from ourcli.tools.spec import OriginKind
from ourcli.tools.standing import OnceGrants, StandingGrants
from tests.promises import promise

CLOCK = frozenset({parse("clock")})


@promise("tools.grants.session")
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("given_in", "terminal", "called_in", "hours", "holds"),
    [
        ("talk", "", "talk", 0, True),
        ("talk", "", "other", 0, False),
        ("talk", "t1", "", 0, False),
        ("t1", "t1", "", 0, True),
        ("t1", "t1", "talk", 0, True),
        ("t1", "t2", "talk", 0, False),
        ("talk", "", "talk", 23, True),
        ("talk", "", "talk", 24, False),
        ("talk", "", "talk", -1, False),
        ("", "", "", 0, False),
    ],
)
async def test_a_grant_for_a_session_holds_in_that_one_for_a_day(
    given_in: str, terminal: str, called_in: str, hours: int, holds: bool
) -> None:
    book, clock = FakeGrantBook(), FrozenClock(NOON + timedelta(hours=hours))
    await book.grant(an_origin(), Facts(), [a_grant("clock", Until.SESSION, session=given_in)])
    standing = StandingGrants([book], clock=clock, terminal=lambda: terminal)

    granted = await standing.granted(an_origin(), called_in)

    assert granted == (CLOCK if holds else frozenset())


@promise("tools.grants.bound")
@pytest.mark.anyio
async def test_a_grant_holds_for_exactly_the_digest_name_and_kind_it_was_given_to() -> None:
    book = FakeGrantBook()
    await book.grant(an_origin(), Facts(), [a_grant("clock")])
    standing = StandingGrants([book], clock=FrozenClock(NOON))

    others = [an_origin(digest="cd"), an_origin("hullo"), an_origin(kind=OriginKind.MCP)]

    assert await standing.granted(an_origin()) == CLOCK
    assert [await standing.granted(one) for one in others] == [frozenset()] * 3


@pytest.mark.anyio
async def test_what_changed_while_another_book_could_not_be_read_is_not_missed() -> None:
    book, broken = FakeGrantBook(), FakeGrantBook()
    standing = StandingGrants([book, broken], clock=FrozenClock(NOON))
    await book.grant(an_origin(), Facts(), [a_grant("clock")])
    broken.failure = StoreError("damaged")
    with pytest.raises(StoreError):
        await standing.granted(an_origin())

    broken.failure = None

    assert await standing.granted(an_origin()) == CLOCK


@promise("tools.grants.once")
@pytest.mark.anyio
async def test_a_grant_for_one_call_holds_for_its_origin_and_is_written_nowhere() -> None:
    book = FakeGrantBook()
    standing = StandingGrants([book], clock=FrozenClock(NOON))
    once = OnceGrants(standing, an_origin(), CLOCK)

    assert (await once.granted(an_origin()), await once.granted(an_origin(digest="cd"))) == (CLOCK, frozenset())
    assert (await standing.granted(an_origin()), await book.entries()) == (frozenset(), ())


def test_a_path_granted_without_a_bound_too_has_none() -> None:
    bounded, free = a_grant("fs:write=/a", most_bytes=1), a_grant("fs:write=/a", Until.SESSION, session="s")

    assert quotas([bounded]) == {Quota("/a", 1)}
    assert quotas([bounded, free]) == frozenset()


@promise("tools.grants.difference")
@pytest.mark.anyio
async def test_a_changed_origin_is_shown_beside_what_was_granted_last() -> None:
    book = FakeGrantBook()
    old = Facts(requested=(parse("clock"), parse("env=A")), texts={"manifest.json": '{\n "a": 1\n}', "module": "x"})
    new = Facts(requested=(parse("clock"), parse("exec")), texts={"manifest.json": '{\n "a": 2\n}', "module": "x"})
    await book.grant(an_origin(), old, [a_grant("clock")])

    last = before(await book.entries(), an_origin(digest="cd"))
    assert last is not None
    found = difference(last.facts, new)

    assert (found.added, found.removed) == ((parse("exec"),), (parse("env=A"),))
    assert found.lines[:2] == ("--- manifest.json before", "+++ manifest.json now")
    assert {'- "a": 1', '+ "a": 2'} <= set(found.lines)
    assert before(await book.entries(), an_origin()) is None


def test_a_difference_without_end_is_cut() -> None:
    found = difference(Facts(), Facts(texts={"manifest.json": "\n".join("x" * 1000)}))

    assert len(found.lines) == 201
    assert found.lines[-1].endswith("lines more")


def test_the_facts_of_tools_are_all_that_they_say() -> None:
    facts = facts_of([a_spec(capabilities=["clock"]), a_spec("hello.bye", capabilities=["clock", "exec"])])

    assert facts.requested == (parse("clock"), parse("exec"))
    assert set(facts.texts) == {"hello.hello", "hello.bye"}
    assert "Greets the world" in facts.texts["hello.bye"]


def test_the_line_that_grants_can_be_pasted_into_a_shell() -> None:
    line = how_to_grant(an_origin("a b"), [parse("fs:read=/a b/$(rm)"), parse("clock")])

    assert line == "ourcli tools grant 'a b' 'fs:read=/a b/$(rm)' clock"
