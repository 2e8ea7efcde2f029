"""Taking back what tools did to files, also after a process died in the middle."""

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from ourcli.common.errors import NotFoundError, StoreConflictError, StoreError
from ourcli.common.forgetting import Erasure
from ourcli.tools.backends.undo_store import KEPT, UndoStore
from tests.promises import promise
from tests.support.builtin import Workshop, a_workshop

pytestmark = pytest.mark.anyio


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Return an empty folder that may be written."""
    return a_workshop(tmp_path)


async def test_there_is_nothing_to_take_back_at_first(workshop: Workshop) -> None:
    with pytest.raises(NotFoundError, match="no tool changed"):
        await workshop.history.undo(None, force=False)
    with pytest.raises(NotFoundError, match="no change 7"):
        await workshop.history.undo(7, force=True)

    assert list(await workshop.history.changes()) == []
    assert not (workshop.home / "undo").exists()


@promise("tools.undo.command")
async def test_a_file_that_changed_since_is_left_alone_unless_forced_and_that_can_be_taken_back(
    workshop: Workshop,
) -> None:
    file = workshop.folder / "a.txt"
    file.write_text("one")
    await workshop.call("fs.write", path="a.txt", text="two")
    file.write_text("mine")

    with pytest.raises(StoreConflictError, match="changed since"):
        await workshop.history.undo(None, force=False)
    assert file.read_text() == "mine"
    await workshop.history.undo(None, force=True)
    assert file.read_text() == "one"
    latest = (await workshop.history.changes())[0]
    await workshop.history.undo(latest.id, force=False)

    assert file.read_text() == "mine"


@promise("tools.undo.command")
async def test_changes_are_taken_back_one_after_the_other_latest_first(workshop: Workshop) -> None:
    file = workshop.folder / "a.txt"
    await workshop.call("fs.write", path="a.txt", text="one")
    file.chmod(0o640)
    await workshop.call("fs.edit", path="a.txt", old="one", new="two")
    await workshop.call("fs.write", path="b.txt", text="b")

    undone = [await workshop.history.undo(None, force=False) for _ in range(2)]
    after_two = (file.read_text(), file.stat().st_mode & 0o777, (workshop.folder / "b.txt").exists())
    last = await workshop.history.undo(None, force=False)

    assert [one.path for one in undone] == [str(workshop.folder / "b.txt"), str(file)]
    assert after_two == ("one", 0o640, False)
    assert (last.sha256, file.exists()) == (None, False)
    with pytest.raises(NotFoundError):
        await workshop.history.undo(None, force=False)


async def test_a_change_is_taken_back_by_its_id_and_only_once(workshop: Workshop) -> None:
    made = await workshop.call("fs.write", path="a.txt", text="one")
    await workshop.call("fs.write", path="b.txt", text="two")

    await workshop.history.undo(int(str(made["undo_id"])), force=False)

    assert [one.name for one in workshop.folder.iterdir()] == ["b.txt"]
    with pytest.raises(NotFoundError, match="already"):
        await workshop.history.undo(int(str(made["undo_id"])), force=False)


async def test_a_folder_that_became_a_link_is_not_followed(workshop: Workshop) -> None:
    (workshop.folder / "sub").mkdir()
    await workshop.call("fs.write", path="sub/a.txt", text="one")
    (workshop.folder / "sub").rename(workshop.folder / "moved")
    (workshop.folder / "sub").symlink_to("moved")

    with pytest.raises(StoreError, match="not as it was"):
        await workshop.history.undo(None, force=True)

    assert (workshop.folder / "moved" / "a.txt").read_text() == "one"


@promise("tools.undo.private")
async def test_what_is_kept_is_private_and_noticed_when_damaged(workshop: Workshop) -> None:
    (workshop.folder / "a.txt").write_text("one")
    await workshop.call("fs.write", path="a.txt", text="two")
    kept = list((workshop.home / "undo").rglob("*"))
    blob = next((workshop.home / "undo" / "blobs").iterdir())

    blob.write_text("not one")

    assert {one.stat().st_mode & 0o777 for one in kept if one.is_file()} == {0o600}
    assert {one.stat().st_mode & 0o777 for one in kept if one.is_dir()} == {0o700}
    with pytest.raises(StoreError, match="damaged"):
        await workshop.history.undo(None, force=True)
    assert (workshop.folder / "a.txt").read_text() == "two"


@promise("tools.undo.killed")
@pytest.mark.parametrize("existed", [True, False])
@pytest.mark.parametrize("where", ["before the row", "after the row", "before the rename", "after the rename"])
async def test_a_killed_change_is_made_or_not_and_can_be_taken_back_when_it_is(
    workshop: Workshop, where: str, existed: bool
) -> None:
    file = workshop.folder / "file.txt"
    if existed:
        file.write_text("before\n")
    command = [sys.executable, "-m", "tests.support.changer_process", str(workshop.folder), str(workshop.home), where]

    done = subprocess.run(command, check=False, capture_output=True)  # noqa: ASYNC221  # nothing else waits here

    assert done.returncode == -signal.SIGKILL, done.stderr
    made = where == "after the rename"
    assert (file.read_text() if file.exists() else None) == ("after\n" if made else "before\n" if existed else None)
    assert len(await workshop.history.changes()) == (1 if made else 0)
    assert [one.name for one in workshop.folder.iterdir()] == (["file.txt"] if existed or made else [])
    if made:
        await workshop.history.undo(None, force=False)
        assert (file.read_text() if file.exists() else None) == ("before\n" if existed else None)
    await workshop.call("fs.write", path="file.txt", text="again\n")
    assert file.read_text() == "again\n"


@promise("tools.undo.bounded")
async def test_what_is_kept_is_bounded_in_age_and_size(workshop: Workshop) -> None:
    store = UndoStore(workshop.home / "undo", workshop.clock)
    small = UndoStore(workshop.home / "undo", workshop.clock, most_bytes=250)
    for number in range(4):
        await workshop.call("fs.write", path="a.txt", text=str(number) * 100)
    before = len(store.changes())

    await small.wipe()
    by_size = [one.id for one in store.changes()]
    workshop.clock.advance(KEPT + timedelta(seconds=1))
    await store.wipe()

    assert (before, by_size) == (4, [4, 3])
    assert (store.changes(), list((workshop.home / "undo" / "blobs").iterdir())) == ([], [])


@promise("tools.undo.forgotten")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
async def test_what_is_forgotten_is_gone_from_what_is_kept(workshop: Workshop, encoding: str) -> None:
    (workshop.folder / "a.txt").write_bytes("so\r\nthe launch code\r\nis 0000\r\n".encode(encoding))
    (workshop.folder / "b.txt").write_text("harmless")
    await workshop.call("fs.write", path="a.txt", text="x")
    await workshop.call("fs.write", path="b.txt", text="x")
    store = workshop.store

    gone = await store.erase(Erasure(ids=("1",), texts=("the launch code\nis 0000",)))
    await store.wipe()

    assert gone == 1
    assert [Path(one.path).name for one in store.changes()] == ["b.txt"]
    kept = b"".join(one.read_bytes() for one in (workshop.home / "undo").rglob("*") if one.is_file())
    assert b"launch" not in kept.replace(b"\0", b"")


async def test_nothing_is_erased_where_nothing_was_kept(workshop: Workshop) -> None:
    gone = await workshop.store.erase(Erasure(ids=("1",), texts=("x",)))
    await workshop.store.wipe()

    assert gone == 0
    assert not (workshop.home / "undo").exists()
