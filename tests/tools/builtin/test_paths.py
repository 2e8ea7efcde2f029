"""No path leads a file tool out of what was granted: words, links, devices, races."""

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ourcli.common.errors import CapabilityDeniedError, DeniedError, OurcliError, ToolError
from ourcli.tools.backends.builtin.beneath import open_beneath, open_by_steps, open_folder
from ourcli.tools.data import Json
from tests.promises import promise
from tests.support.builtin import Workshop, a_workshop

pytestmark = pytest.mark.anyio
SECRET = "the launch code is 0000"


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Return a folder with a file, and a secret beside it that nobody granted."""
    shop = a_workshop(tmp_path)
    (shop.folder / "inside.txt").write_text("inside\n")
    (shop.folder / "sub").mkdir()
    (tmp_path / "secret.txt").write_text(SECRET)
    (tmp_path / "work-2").mkdir()
    (tmp_path / "work-2" / "secret.txt").write_text(SECRET)
    return shop


OUTSIDE = {
    "up": "../secret.txt",
    "up through a folder": "sub/../../secret.txt",
    "up through nothing": "no/../../secret.txt",
    "absolute": "{outside}/secret.txt",
    "absolute with dots": "{folder}/../secret.txt",
    "two slashes": "//{outside}/secret.txt",
    "a name that begins alike": "../work-2/secret.txt",
    "passwd": "/etc/passwd",
    "proc": "/proc/self/environ",
    "proc's root": "/proc/self/root/etc/passwd",
    "proc's folder": "/proc/self/cwd/README.md",
    "device": "/dev/zero",
    "home": "~/.ssh/id_ed25519",
}


@promise("tools.builtin.no-way-out")
@pytest.mark.parametrize("path", OUTSIDE.values(), ids=OUTSIDE.keys())
@pytest.mark.parametrize("tool", ["fs.read", "fs.list", "fs.search", "fs.count", "fs.write", "fs.edit"])
async def test_a_path_outside_is_denied_and_the_right_that_lacks_is_named(
    workshop: Workshop, tool: str, path: str
) -> None:
    whole = path.format(folder=workshop.folder, outside=workshop.folder.parent)
    more: dict[str, dict[str, Json]] = {
        "fs.search": {"pattern": "launch"},
        "fs.write": {"text": "mine"},
        "fs.edit": {"old": "0000", "new": "1111"},
    }

    with pytest.raises(CapabilityDeniedError) as caught:
        await workshop.call(tool, path=whole, **more.get(tool, {}))

    kind = "fs:write" if tool in ("fs.write", "fs.edit") else "fs:read"
    assert caught.value.exit_code == 4
    assert caught.value.capability.startswith(f"{kind}=/")
    assert ".." not in caught.value.capability
    assert (workshop.folder.parent / "secret.txt").read_text() == SECRET


@promise("tools.builtin.no-way-out")
@pytest.mark.parametrize("path", ["", "a\0b", "x" * 5000])
async def test_what_is_no_path_is_refused(workshop: Workshop, path: str) -> None:
    with pytest.raises(OurcliError, match="is no path"):
        await workshop.call("fs.read", path=path)


@promise("tools.builtin.links-stay-inside")
@pytest.mark.parametrize("target", ["../secret.txt", "{outside}/secret.txt", "/etc/passwd", "sub/up/secret.txt"])
@pytest.mark.parametrize("tool", ["fs.read", "fs.count"])
async def test_a_link_that_leads_out_is_denied_and_named_by_where_it_leads(
    workshop: Workshop, tool: str, target: str
) -> None:
    (workshop.folder / "sub" / "up").symlink_to("../..")
    link = workshop.folder / "link"
    link.symlink_to(target.format(outside=workshop.folder.parent))

    with pytest.raises(CapabilityDeniedError) as caught:
        await workshop.call(tool, path="link")

    assert caught.value.capability == f"fs:read={os.path.realpath(link)}"  # noqa: ASYNC240  # a test


async def test_links_that_stay_inside_are_followed_absolute_ones_too(workshop: Workshop) -> None:
    (workshop.folder / "relative").symlink_to("inside.txt")
    (workshop.folder / "absolute").symlink_to(workshop.folder / "inside.txt")

    read = [await workshop.call("fs.read", path=name) for name in ("relative", "absolute")]

    assert [one["text"] for one in read] == ["inside\n", "inside\n"]
    assert {one["path"] for one in read} == {str(workshop.folder / "inside.txt")}


@promise("tools.builtin.links-stay-inside")
@pytest.mark.parametrize("target", ["../secret.txt", "inside.txt", "nothing"])
async def test_nothing_is_written_through_a_link(workshop: Workshop, target: str) -> None:
    (workshop.folder / "link").symlink_to(target)

    with pytest.raises(ToolError, match="symbolic link"):
        await workshop.call("fs.write", path="link", text="mine")

    assert (workshop.folder / "link").is_symlink()
    assert (workshop.folder.parent / "secret.txt").read_text() == SECRET
    assert (workshop.folder / "inside.txt").read_text() == "inside\n"


@promise("tools.builtin.links-stay-inside")
@pytest.mark.parametrize("make_folders", [False, True])
async def test_nothing_is_written_below_a_linked_folder_that_leads_out(workshop: Workshop, make_folders: bool) -> None:
    (workshop.folder / "out").symlink_to("../work-2")

    with pytest.raises(CapabilityDeniedError):
        await workshop.call("fs.write", path="out/new/file.txt", text="mine", make_folders=make_folders)

    assert [one.name for one in (workshop.folder.parent / "work-2").iterdir()] == ["secret.txt"]


@promise("tools.builtin.devices")
@pytest.mark.parametrize("tool", ["fs.read", "fs.count", "fs.write", "fs.edit"])
@pytest.mark.parametrize("kind", ["pipe", "socket", "folder"])
async def test_what_is_no_regular_file_is_refused_without_waiting(
    workshop: Workshop, tool: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workshop.folder)
    if kind == "pipe":
        os.mkfifo("odd")
    elif kind == "folder":
        os.mkdir("odd")  # noqa: PTH102  # a test
    else:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("odd")
    if tool == "fs.count" and kind == "folder":
        return  # a folder is what it counts
    more: dict[str, dict[str, Json]] = {"fs.write": {"text": "x"}, "fs.edit": {"old": "a", "new": "b"}}

    with pytest.raises(ToolError, match="no regular file"):
        await workshop.call(tool, path="odd", **more.get(tool, {}))


@promise("tools.builtin.devices")
@pytest.mark.parametrize("path", ["/proc/self/environ", "/proc/self/mem", "/sys/kernel/notes", "/proc/self/fd/0"])
async def test_the_kernels_own_files_are_refused_even_when_everything_is_granted(tmp_path: Path, path: str) -> None:
    workshop = a_workshop(tmp_path, "fs:read=/")

    with pytest.raises((DeniedError, ToolError)):
        await workshop.call("fs.read", path=path)


@promise("tools.builtin.own-home")
@pytest.mark.parametrize("tool", ["fs.read", "fs.write", "fs.search"])
async def test_ourclis_own_folder_is_closed_whatever_was_granted(tmp_path: Path, tool: str) -> None:
    workshop = a_workshop(tmp_path, f"fs:write={tmp_path}")
    (workshop.home / "grants.json").write_text("{}")
    (workshop.folder / "link").symlink_to(workshop.home)
    more: dict[str, dict[str, Json]] = {"fs.write": {"text": "x"}, "fs.search": {"pattern": "."}}

    for path in (str(workshop.home / "grants.json"), "link/grants.json", "../own/grants.json"):
        with pytest.raises(DeniedError, match="belongs to ourcli"):
            await workshop.call(tool, path=path, **more.get(tool, {}))

    assert (workshop.home / "grants.json").read_text() == "{}"


async def test_a_walk_over_everything_leaves_ourclis_folder_out(tmp_path: Path) -> None:
    workshop = a_workshop(tmp_path, f"fs:read={tmp_path}")
    (workshop.home / "notes.txt").write_text(SECRET)
    (workshop.folder / "own.txt").write_text(SECRET)

    found = await workshop.call("fs.search", path=str(tmp_path), pattern="launch")
    listed = await workshop.call("fs.list", path=str(tmp_path), recursive=True)

    assert [one["path"] for one in _objects(found["matches"])] == ["own.txt"]
    assert "own" not in {Path(str(one["path"])).name for one in _objects(listed["entries"])}


async def test_a_grant_for_one_file_opens_that_file_only(tmp_path: Path) -> None:
    workshop = a_workshop(tmp_path, "fs:write={}/notes.md")
    (workshop.folder / "other.md").write_text("other")

    made = await workshop.call("fs.write", path="notes.md", text="# Notes\n")
    read = await workshop.call("fs.read", path="notes.md")
    with pytest.raises(CapabilityDeniedError):
        await workshop.call("fs.read", path="other.md")
    with pytest.raises(CapabilityDeniedError):
        await workshop.call("fs.write", path="notes.md.tmp", text="x")

    assert (made["created"], read["text"]) == (True, "# Notes\n")


async def test_a_right_to_read_is_none_to_write(tmp_path: Path) -> None:
    workshop = a_workshop(tmp_path, "fs:read={}")
    (workshop.folder / "a.txt").write_text("a")

    with pytest.raises(CapabilityDeniedError) as caught:
        await workshop.call("fs.edit", path="a.txt", old="a", new="b")

    assert caught.value.capability == f"fs:write={workshop.folder}/a.txt"


def _swap(folder: Path, stop: threading.Event) -> None:
    """Put a link in the place of a folder and take it away again, until told to stop."""
    real, link, aside = folder / "real", folder / "link", folder / "aside"
    while not stop.is_set():
        real.rename(aside)
        link.rename(real)
        real.rename(link)
        aside.rename(real)


def _by_kernel(folder: int, path: str) -> int:
    return open_beneath(folder, path, os.O_RDONLY)


def _by_steps(folder: int, path: str) -> int:
    return open_by_steps(folder, path, os.O_RDONLY | os.O_NONBLOCK)


@promise("tools.builtin.race")
@pytest.mark.parametrize("opened", [_by_kernel, _by_steps])
async def test_a_folder_that_is_swapped_for_a_link_all_the_time_never_opens_what_lies_outside(
    tmp_path: Path, opened: Callable[[int, str], int]
) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "real").mkdir(parents=True)
    outside.mkdir()
    (root / "real" / "file").write_text("inside")
    (outside / "file").write_text(SECRET)
    (root / "link").symlink_to(outside)
    stop = threading.Event()
    read: set[str] = set()

    swapping = threading.Thread(target=_swap, args=(root, stop))
    swapping.start()
    top = open_folder(str(root))
    try:
        for _ in range(3_000):
            try:
                descriptor = opened(top, "real/file")
            except OSError:
                continue
            with os.fdopen(descriptor) as stream:
                read.add(stream.read())
    finally:
        stop.set()
        swapping.join()
        os.close(top)

    assert read <= {"inside"}
    assert read  # it was opened between the swaps too


@promise("tools.builtin.race")
async def test_writing_into_a_folder_that_is_swapped_for_a_link_never_lands_outside(tmp_path: Path) -> None:
    workshop = a_workshop(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (workshop.folder / "real").mkdir()
    (workshop.folder / "link").symlink_to(outside)
    stop = threading.Event()

    swapping = threading.Thread(target=_swap, args=(workshop.folder, stop))
    swapping.start()
    written = 0
    try:
        for number in range(40):
            try:
                await workshop.call("fs.write", path=f"real/{number}.txt", text="mine")
                written += 1
            except OurcliError:
                continue
    finally:
        stop.set()
        swapping.join()

    assert list(outside.iterdir()) == []
    assert written == sum(1 for one in (workshop.folder / "real").iterdir() if one.suffix == ".txt")


def _objects(value: Json) -> list[dict[str, Json]]:
    assert isinstance(value, list)
    return [one for one in value if isinstance(one, dict)]
