"""Guests that want files which nobody granted, or do to granted ones what they must not."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ourcli.common.errors import PluginError, ToolError
from tests.promises import promise
from tests.support.arena import SECRET, Arena, Attack
from tests.support.guests import full_manifest

pytestmark = pytest.mark.anyio
RIGHTS = ("fs:read={granted}", "fs:write={writable}")
NOT_THERE = "(No such file or directory|Operation not permitted|Permission denied|Capabilities insufficient)"
NO = "(?!done|stolen|the secret).*"


def tries(word: str, path: str, told: str = NO, rights: tuple[str, ...] = RIGHTS) -> Attack:
    """Return an attack that fails at what it tries, and says why."""
    return Attack(guest="files", word=word, path=path, told=told, rights=rights, limits={"timeout_ms": 10_000})


@pytest.fixture(autouse=True)
def links(arena: Arena) -> Iterator[None]:
    """Put links into the granted folders that lead out of them, as a careless user may have them."""
    aims = {"to-file": arena.outside / "secret.txt", "to-folder": arena.outside, "chain": Path("to-folder/secret.txt")}
    aims |= {"up": Path("../outside/secret.txt"), "to-root": Path("/"), "to-self": Path("to-self")}
    made = [place / name for place in (arena.granted, arena.writable) for name in aims]
    for link in made:
        link.symlink_to(aims[link.name])
    arena.keep()
    yield
    for link in made:
        link.unlink(missing_ok=True)


READS = [
    *(tries("read", path, NOT_THERE) for path in ("/etc/passwd", "{outside}/secret.txt", "{home}/.ssh/id_ed25519")),
    *(tries("read", path, NOT_THERE) for path in ("/proc/self/environ", "/proc/1/environ", "/proc/self/fd/0")),
    *(tries("read", path, NOT_THERE) for path in ("/dev/mem", "/dev/stdin", "/dev/tcp/127.0.0.1/{port}")),
    *(tries("read", path) for path in ("{granted}/../outside/secret.txt", "{granted}/./a/../../outside/secret.txt")),
    *(tries("read", path) for path in ("{granted}/to-file", "{granted}/to-folder/secret.txt", "{granted}/chain")),
    *(tries("read", path) for path in ("{granted}/up", "{granted}/to-root/etc/passwd", "{granted}/to-self")),
    *(tries("read", path) for path in ("{granted}x/../outside/secret.txt", "//{outside}/secret.txt")),
    tries("list", "{outside}"),
    tries("list", "{granted}/.."),
    tries("list", "{granted}/to-folder"),
    tries("list", "/"),
    tries("look", "{outside}/secret.txt"),
    *(tries("raw-open", path, "nothing") for path in ("/etc/passwd", "../outside/secret.txt", "to-file", "up")),
    tries("raw-open", "{outside}/secret.txt", "nothing"),
    tries("raw-open", "to-root/etc/passwd", "nothing"),
    tries("read", "{outside}/secret.txt", NOT_THERE, rights=()),
    tries("raw-open", "../outside/secret.txt", "nothing", rights=()),
]
WRITES = [
    *(tries("write", path) for path in ("{outside}/new.txt", "{outside}/secret.txt", "/tmp/{port}-new.txt")),
    *(tries("write", path) for path in ("{granted}/new.txt", "{granted}/note.txt", "{writable}/../granted/note.txt")),
    *(tries("write", path) for path in ("{writable}/to-file", "{writable}/to-folder/new.txt", "{writable}/up")),
    tries("append", "{granted}/note.txt"),
    tries("cut-short", "{granted}/note.txt"),
    tries("touch", "{granted}/note.txt"),
    tries("delete", "{granted}/note.txt"),
    tries("delete", "{writable}/to-folder/secret.txt"),
    tries("make-folder", "{granted}/new"),
    tries("make-folder", "{outside}/new"),
    tries("raw-write", "../outside/new.txt", "opened 0"),
    tries("raw-write", "to-file", "opened 0"),
    tries("raw-write", "note.txt/../../granted/note.txt", "opened 0"),
]
LINKS = [
    tries("hard-link", "{granted}/note.txt>{writable}/alias"),
    tries("hard-link", "{outside}/secret.txt>{writable}/alias"),
    tries("hard-link", "{writable}/to-file>{writable}/alias-of-link", "(done|(?!the secret).*)"),
    tries("hard-link", "{writable}/note.txt>{granted}/alias"),
    tries("move", "{granted}/note.txt>{writable}/taken"),
    tries("move", "{writable}/note.txt>{granted}/brought"),
    tries("move", "{writable}/note.txt>{outside}/brought"),
    tries("move", "{outside}/secret.txt>{writable}/taken"),
    tries("move", "{writable}/../outside>{writable}/taken"),
    tries("symbolic-link", "/etc>{granted}/link"),
    tries("link-and-read", "{outside}/secret.txt>{writable}/link"),
    tries("link-and-read", "../outside/secret.txt>{writable}/link"),
    tries("link-and-read", "/proc/self/environ>{writable}/link"),
    tries("link-and-read", "to-folder/secret.txt>{writable}/link"),
    tries("link-and-write", "{outside}/secret.txt>{writable}/link"),
    tries("link-and-write", "../granted/note.txt>{writable}/link"),
]


@promise("tools.attacks.files")
@promise("tools.wasm.exact-rights")
@pytest.mark.parametrize("attack", READS + WRITES + LINKS, ids=str)
async def test_no_path_and_no_link_leads_out_of_the_grants(arena: Arena, attack: Attack) -> None:
    outcome = await arena.withstand(attack)

    assert SECRET not in str(outcome.said)
    assert not (arena.writable / "taken").exists()
    assert "root:" not in str(outcome.said)


@promise("tools.attacks.files")
async def test_a_link_to_a_file_outside_that_was_moved_about_still_leads_nowhere(arena: Arena) -> None:
    await arena.attack(tries("hard-link", "{writable}/to-file>{writable}/alias-of-link"))
    outcome = await arena.withstand(tries("read", "{writable}/alias-of-link"))

    assert SECRET not in str(outcome.said)


@promise("tools.attacks.files")
@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("grow-sparse", "File too large|(?!done).*"),
        ("write-far", "File too large|(?!done).*"),
        ("fill", r"MiB ([0-9]|[1-5]\d|6[0-4])"),
    ],
)
async def test_no_file_grows_beyond_the_limit(arena: Arena, word: str, told: str) -> None:
    target = arena.writable / "large"

    await arena.withstand(tries(word, "{writable}/large", told))

    size = target.lstat().st_size if target.exists() else 0
    target.unlink(missing_ok=True)
    assert size <= 64 * 1024 * 1024


@promise("tools.attacks.files")
async def test_a_granted_folder_inside_a_writable_one_cannot_be_swapped_for_a_link(arena: Arena) -> None:
    inner = arena.writable / "inner"
    inner.mkdir()
    rights = ("fs:write={writable}", "fs:read={writable}/inner")
    moved = await arena.attack(tries("move", "{writable}/./inner>{writable}/was-inner", rights=rights))
    linked = await arena.attack(tries("symbolic-link", "../outside>{writable}/./inner", rights=rights))
    again = Attack(guest="files", word="read", path="{writable}/inner/secret.txt", told="", rights=rights)

    outcome = await arena.attack(again)  # other limits, so another worker opens the folders anew

    kept = [path for path in (inner, arena.writable / "was-inner") if path.is_symlink() or path.exists()]
    for path in kept:
        path.unlink() if path.is_symlink() else path.rmdir()
    assert (moved.said, linked.said) == ("done", "done"), "a guest may do so in what it may write"
    assert isinstance(outcome.error, PluginError), f"{outcome.said!r}"
    assert "reached through a link" in outcome.error.message
    assert "remove the link" in outcome.error.hint
    await arena.live_on()


@promise("tools.attacks.files")
async def test_a_folder_is_not_filled_beyond_its_quota(arena: Arena) -> None:
    folder = arena.folder / "quota"
    folder.mkdir()
    rights, most = [f"fs:write={folder}"], 32 * 1024 * 1024
    manifest = full_manifest("filler", capabilities=rights, timeout_ms=60_000)

    outcome = await arena.call(
        arena.plugin("files", manifest), {"do": "fill-many", "path": str(folder)}, rights, {str(folder): most}
    )

    written = sum(path.stat().st_size for path in folder.iterdir())
    shutil.rmtree(folder)
    assert isinstance(outcome.error, ToolError), f"{outcome.said!r}"
    assert "more than its quota" in outcome.error.message
    assert outcome.error.hint
    assert written < 1024 * 1024 * 1024
    await arena.live_on()


@promise("tools.attacks.files")
async def test_a_granted_folder_can_be_used_after_all_that(arena: Arena) -> None:
    assert (await arena.attack(tries("write", "{writable}/fair.txt"))).said == "done"
    assert (await arena.attack(tries("read", "{granted}/note.txt"))).said == "a note in granted"

    assert (arena.writable / "fair.txt").read_text() == "stolen"
