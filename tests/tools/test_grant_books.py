"""What the fake book and the file keep; what the file does with damage, strangers and other processes."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from ourcli.common.errors import ConfigError, StoreError
from ourcli.testing.clock import FrozenClock
from ourcli.testing.grants import NOON, FakeGrantBook, a_grant, an_origin
from ourcli.tools.backends.grant_store import GrantStore
from ourcli.tools.backends.policy_file import PolicyFile
from ourcli.tools.capabilities import parse
from ourcli.tools.grants import Facts, Grantor, Until
from ourcli.tools.ports import GrantBook
from ourcli.tools.spec import OriginKind
from ourcli.tools.standing import StandingGrants
from tests.promises import promise

pytestmark = pytest.mark.anyio
SAID = Facts(requested=(parse("clock"),), texts={"manifest.json": '{"name": "hello"}'})

GRANTS = """
import sys, anyio
from pathlib import Path
from ourcli.common.clock import SystemClock
from ourcli.testing.grants import a_grant, an_origin
from ourcli.tools.backends.grant_store import GrantStore
from ourcli.tools.grants import Facts

async def main():
    store = GrantStore(Path(sys.argv[1]), clock=SystemClock())
    for number in range(15):
        await store.grant(an_origin(f"p{sys.argv[2]}"), Facts(), [a_grant(f"env=KEY_{number}")])

anyio.run(main)
"""


def written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def chmod(path: Path, mode: int) -> None:
    path.chmod(mode)


def state_of(path: Path) -> tuple[int, bytes]:
    return path.stat().st_mode & 0o777, path.read_bytes()


def replace_keeping_size_and_time(path: Path, old: bytes, new: bytes) -> None:
    state, other = path.stat(), written(path.with_name("other"), path.read_bytes().replace(old, new))
    os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
    other.replace(path)


def grant_in_processes(path: Path, how_many: int) -> list[int]:
    started = [subprocess.Popen([sys.executable, "-c", GRANTS, str(path), str(number)]) for number in range(how_many)]
    return [process.wait() for process in started]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the file of grants is to stand."""
    return tmp_path / "home" / "grants.json"


@pytest.fixture
def clock() -> FrozenClock:
    """Return a clock that stands still."""
    return FrozenClock(NOON)


@pytest.fixture(params=["fake", "file"])
async def book(request: pytest.FixtureRequest, path: Path, clock: FrozenClock) -> AsyncIterator[GrantBook]:
    """Return an empty book."""
    if request.param == "fake":
        yield FakeGrantBook(clock=clock)
        return
    store = GrantStore(path, clock=clock)
    yield store
    await store.aclose()


@promise("tools.grants.kept")
async def test_what_was_granted_is_read_back_with_what_it_was_granted_to(book: GrantBook) -> None:
    given = [a_grant("fs:write=/a", most_bytes=10), a_grant("clock", Until.SESSION, session="s")]

    await book.grant(an_origin(), SAID, given)

    (entry,) = await book.entries()
    assert (entry.origin, entry.facts, list(entry.grants)) == (an_origin(), SAID, given)


async def test_a_book_that_did_not_change_answers_with_the_same_value(book: GrantBook) -> None:
    await book.grant(an_origin(), SAID, [a_grant("clock")])

    assert await book.entries() is await book.entries()


@promise("tools.grants.bound")
async def test_granting_to_a_new_version_drops_what_the_old_one_had(book: GrantBook) -> None:
    await book.grant(an_origin(), SAID, [a_grant("env=SECRET")])
    await book.grant(an_origin("other"), SAID, [a_grant("clock")])

    await book.grant(an_origin(digest="cd"), SAID, [a_grant("clock")])

    assert [(one.origin.name, one.origin.sha256[:2]) for one in await book.entries()] == [
        ("other", "ab"),
        ("hello", "cd"),
    ]


async def test_the_same_right_granted_again_stands_once_with_the_new_bound(book: GrantBook) -> None:
    await book.grant(an_origin(), SAID, [a_grant("fs:write=/a", most_bytes=10)])

    await book.grant(an_origin(), SAID, [a_grant("fs:write=/a", most_bytes=99)])

    (entry,) = await book.entries()
    assert [one.quota.most_bytes for one in entry.grants if one.quota] == [99]


@promise("tools.grants.revoked")
async def test_revoking_takes_one_right_or_all_and_tells_which(book: GrantBook) -> None:
    await book.grant(an_origin(), SAID, [a_grant("clock"), a_grant("env=A"), a_grant("exec")])

    one = await book.revoke(an_origin(digest="cd"), [parse("env=A"), parse("env=B")])
    rest = await book.revoke(an_origin())
    nothing = await book.revoke(an_origin())

    assert (one, set(rest), nothing) == ((parse("env=A"),), {parse("clock"), parse("exec")}, ())
    assert await book.entries() == ()


async def test_grants_of_sessions_that_are_over_are_dropped(book: GrantBook, clock: FrozenClock) -> None:
    await book.grant(an_origin(), SAID, [a_grant("clock", Until.SESSION, session="s")])
    clock.advance(timedelta(hours=25))

    await book.grant(an_origin("other"), SAID, [a_grant("clock", at=clock.now())])

    assert [one.origin.name for one in await book.entries()] == ["other"]


@promise("tools.grants.damaged")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"version": 2}',
        b'{"version": 1, "origins": 1}',
        b'{"version": 1, "more": 1}',
        b'{"origins":[{"kind":"plugin","name":"p","sha256":"x","grants":[]}]}',
        b'{"origins":[{"kind":"plugin","name":"p","sha256":"","grants":[{"capability":"fly","until":"always",'
        b'"granted_at":"2026-01-01T00:00:00Z"}]}]}',
        b"[" * 100_000,
    ],
)
async def test_a_damaged_file_is_an_error_in_words_and_grants_nothing(path: Path, content: bytes) -> None:
    written(path, content)
    store = GrantStore(path, clock=FrozenClock(NOON))
    standing = StandingGrants([store], clock=FrozenClock(NOON))

    with pytest.raises(StoreError, match="nothing is granted"):
        await standing.granted(an_origin())
    with pytest.raises(StoreError, match="nothing is granted"):
        await store.grant(an_origin(), SAID, [a_grant("clock")])

    assert state_of(path) == (0o600, content)


@promise("tools.grants.private")
async def test_the_file_is_the_owners_alone_and_one_that_others_can_write_does_not_count(path: Path) -> None:
    store = GrantStore(path, clock=FrozenClock(NOON))
    await store.grant(an_origin(), SAID, [a_grant("clock")])
    assert state_of(path)[0] == 0o600

    chmod(path, 0o622)

    with pytest.raises(StoreError, match="others than you can write"):
        await store.entries()
    await store.aclose()


@promise("tools.grants.at-once")
async def test_processes_that_grant_at_once_lose_nothing(path: Path) -> None:
    assert grant_in_processes(path, 3) == [0, 0, 0]

    store = GrantStore(path, clock=FrozenClock(NOON))
    entries = await store.entries()
    assert sorted((one.origin.name, len(one.grants)) for one in entries) == [("p0", 15), ("p1", 15), ("p2", 15)]
    await store.aclose()


@promise("tools.grants.revoked")
async def test_what_another_process_revokes_is_gone_for_the_next_call(path: Path) -> None:
    here, there = GrantStore(path, clock=FrozenClock(NOON)), GrantStore(path, clock=FrozenClock(NOON))
    standing = StandingGrants([here], clock=FrozenClock(NOON))
    await there.grant(an_origin(), SAID, [a_grant("clock"), a_grant("env=A")])
    before = await standing.granted(an_origin())

    seen = []
    for right in ("clock", "env=A"):  # quicker than the clock of the file system ticks
        await there.revoke(an_origin(), [parse(right)])
        seen.append(await standing.granted(an_origin()))

    assert before == {parse("clock"), parse("env=A")}
    assert seen == [{parse("env=A")}, frozenset()]
    await here.aclose()


@promise("tools.grants.revoked")
async def test_a_file_replaced_by_one_of_the_same_size_and_time_is_read_again(path: Path) -> None:
    store = GrantStore(path, clock=FrozenClock(NOON))
    await store.grant(an_origin(), SAID, [a_grant("env=A")])
    first = await store.entries()

    replace_keeping_size_and_time(path, b"env=A", b"env=B")

    (entry,) = await store.entries()
    assert (entry.grants[0].capability, first[0].grants[0].capability) == (parse("env=B"), parse("env=A"))
    await store.aclose()


POLICY = f"""
[[grants]]
kind = "plugin"
name = "hello"
sha256 = "{"ab" * 32}"
capabilities = ["fs:write=/a", "clock"]
most_bytes = 10

[[grants]]
kind = "builtin"
name = "fs"
capabilities = ["fs:read=/b"]
"""


def a_policy(folder: Path, text: str) -> PolicyFile:
    return PolicyFile(written(folder / "grants.toml", text.encode()))


@promise("tools.grants.policy")
async def test_a_policy_grants_to_exactly_the_named_digest(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, POLICY)
    standing = StandingGrants([policy], clock=FrozenClock(NOON))

    plugin = await standing.granted(an_origin())
    changed = await standing.granted(an_origin(digest="cd"))
    built_in = await standing.granted(an_origin("fs", "", OriginKind.BUILTIN))

    assert plugin == {parse("fs:write=/a"), parse("clock"), parse("use")}
    assert changed == frozenset()
    assert built_in == {parse("fs:read=/b")}
    assert [one.most_bytes for one in await standing.quotas(an_origin())] == [10]
    assert {one.by for entry in await policy.entries() for one in entry.grants} == {Grantor.POLICY}
    await policy.aclose()


@promise("tools.grants.policy")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[grants]", "TOML"),
        ("grants = 1", "grants"),
        ('[[grant]]\nkind = "mcp"', "grant: Extra inputs"),
        ('[[grants]]\nkind = "plugin"\nname = "p"\ncapabilities = ["clock"]', "sha256 is missing"),
        ('[[grants]]\nkind = "mcp"\nname = "p"\nsha256 = "ab"\ncapabilities = ["clock"]', "sha256"),
        (
            '[[grants]]\nkind = "builtin"\nname = "p"\nsha256 = "' + "ab" * 32 + '"\ncapabilities = ["clock"]',
            "leave it",
        ),
        ('[[grants]]\nkind = "builtin"\nname = "fs"\ncapabilities = ["fs:read=x"]', "no absolute path"),
        ('[[grants]]\nkind = "builtin"\nname = "fs"\ncapabilities = []', "capabilities"),
    ],
)
async def test_a_policy_that_is_not_valid_is_an_error_and_grants_nothing(tmp_path: Path, text: str, said: str) -> None:
    standing = StandingGrants([a_policy(tmp_path, text)], clock=FrozenClock(NOON))

    with pytest.raises(ConfigError, match=said):
        await standing.granted(an_origin("fs", "", OriginKind.BUILTIN))


@promise("tools.grants.private")
async def test_a_policy_that_others_can_write_does_not_count(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, POLICY)
    chmod(tmp_path / "grants.toml", 0o620)

    with pytest.raises(StoreError, match="others than you can write") as caught:
        await policy.entries()

    assert "chmod 600" in caught.value.hint
