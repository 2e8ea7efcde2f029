"""`fs.write` and `fs.edit`: whole or not at all, previewed, within quotas, and with a way back."""

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, cast

import anyio
import pytest

from ourcli.common.errors import CapabilityDeniedError, DeniedError, OurcliError, StoreConflictError, ToolError
from ourcli.tools.backends.builtin import changing
from ourcli.tools.data import Json
from ourcli.tools.ports import Previews, ToolContext
from tests.promises import promise
from tests.support.builtin import Workshop, a_workshop

pytestmark = pytest.mark.anyio


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Return an empty folder that may be written."""
    return a_workshop(tmp_path)


def _left_over(workshop: Workshop) -> list[str]:
    return [one.name for one in workshop.folder.rglob("*") if one.name.startswith(".ourcli-")]


@promise("tools.builtin.edit-unique")
@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"old": "twice", "new": "x"}, "stands 2 times"),
        ({"old": "nowhere", "new": "x"}, "is not in"),
        ({"old": "", "new": "x"}, "is empty"),
        ({"old": "once", "new": "x", "if_sha256": "0" * 64}, "not as it was"),
    ],
)
async def test_an_edit_that_does_not_fit_changes_nothing(workshop: Workshop, given: dict[str, Json], why: str) -> None:
    (workshop.folder / "a.txt").write_text("once, twice, twice\n")

    with pytest.raises(OurcliError, match=why):
        await workshop.call("fs.edit", path="a.txt", **given)

    assert (workshop.folder / "a.txt").read_text() == "once, twice, twice\n"
    assert await workshop.history.changes() == []


@promise("tools.builtin.edit-unique")
async def test_a_text_that_stands_there_once_is_replaced_and_everywhere_when_asked(workshop: Workshop) -> None:
    (workshop.folder / "a.txt").write_text("once, twice, twice\n")

    await workshop.call("fs.edit", path="a.txt", old="once", new="1")
    done = await workshop.call("fs.edit", path="a.txt", old="twice", new="2", all=True)

    assert (workshop.folder / "a.txt").read_text() == "1, 2, 2\n"
    assert done["sha256"] == hashlib.sha256(b"1, 2, 2\n").hexdigest()


@promise("tools.builtin.edit-keeps")
@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        (b"one\r\ntwo\r\nthree\r\n", "one\ntwo", "1\n2", b"1\r\n2\r\nthree\r\n"),
        (b"one\r\ntwo\nthree\r\n", "two", "2", b"one\r\n2\nthree\r\n"),
        ("\ufeffone two".encode(), "two", "2", "\ufeffone 2".encode()),
        ("\ufeffone two".encode("utf-16-le"), "two", "🎈", "\ufeffone 🎈".encode("utf-16-le")),
        ("a 👩‍👩‍👧 family 🎈".encode(), "👩‍👩‍👧 family", "👍🏽", "a 👍🏽 🎈".encode()),
        ("nai\u0308ve café".encode(), "café", "tea", "nai\u0308ve tea".encode()),
        (b"no end", "end", "END", b"no END"),
        (b"page\x0cbreak\x1dhere\n", "break", "x", b"page\x0cx\x1dhere\n"),
        ("Grüße aus Köln, schöne Größe für Bücher, old\n".encode("cp1252"), "old", "new",
         "Grüße aus Köln, schöne Größe für Bücher, new\n".encode("cp1252")),
    ],
)  # fmt: skip
async def test_an_edit_changes_the_text_and_no_other_byte(
    workshop: Workshop, before: bytes, old: str, new: str, after: bytes
) -> None:
    (workshop.folder / "a.txt").write_bytes(before)

    await workshop.call("fs.edit", path="a.txt", old=old, new=new)

    assert (workshop.folder / "a.txt").read_bytes() == after


async def test_what_an_encoding_lacks_or_only_guesses_is_refused(workshop: Workshop) -> None:
    data = "Grüße aus Köln, schöne Größe für Bücher, old\n".encode("cp1252")
    (workshop.folder / "a.txt").write_bytes(data)

    with pytest.raises(ToolError, match="is a guess"):
        await workshop.call("fs.edit", path="a.txt", old="old", new="größer")

    assert (workshop.folder / "a.txt").read_bytes() == data


@promise("tools.builtin.edit-keeps")
async def test_permissions_are_kept_and_the_bits_that_lend_rights_are_not(workshop: Workshop) -> None:
    (workshop.folder / "run.sh").write_text("echo one\n")
    (workshop.folder / "run.sh").chmod(0o4755)

    await workshop.call("fs.edit", path="run.sh", old="one", new="two")

    assert (workshop.folder / "run.sh").stat().st_mode & 0o7777 == 0o755


async def test_a_file_in_new_folders_is_written_only_when_they_may_be_made(workshop: Workshop) -> None:
    with pytest.raises(ToolError, match="there is no"):
        await workshop.call("fs.write", path="a/b/c.txt", text="x")
    made = await workshop.call("fs.write", path="a/b/c.txt", text="x", make_folders=True)

    assert (made["created"], (workshop.folder / "a/b/c.txt").read_text()) == (True, "x")


async def test_writing_what_is_there_already_changes_nothing(workshop: Workshop) -> None:
    (workshop.folder / "a.txt").write_text("same")
    before = (workshop.folder / "a.txt").stat()

    done = await workshop.call("fs.write", path="a.txt", text="same")
    with pytest.raises(StoreConflictError, match="there already"):
        await workshop.call("fs.write", path="a.txt", text="other", only_new=True)

    assert (done["changed"], done["undo_id"]) == (False, None)
    assert (workshop.folder / "a.txt").stat().st_mtime_ns == before.st_mtime_ns


async def _previewed(workshop: Workshop, name: str, given: dict[str, Json], context: ToolContext | None = None) -> str:
    runner = await workshop.runner()
    rights = await runner._grants.granted(runner.registry.get(name).spec().origin)
    tool = cast("Previews", runner.registry.get(name))
    folder = ToolContext(folder=workshop.folder, granted=rights)
    return await tool.preview(given, context or folder)


@promise("tools.builtin.preview")
async def test_a_change_is_shown_as_a_diff_and_looking_changes_nothing(workshop: Workshop) -> None:
    (workshop.folder / "a.txt").write_text("one\ntwo\nthree")
    path = workshop.folder / "a.txt"

    edit = await _previewed(workshop, "fs.edit", {"path": "a.txt", "old": "two", "new": "2"})
    new = await _previewed(workshop, "fs.write", {"path": "new.txt", "text": "hello\n"})

    assert edit == f"--- {path}\n+++ {path}\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n\\ No newline at end of file\n"
    assert new == f"--- /dev/null\n+++ {workshop.folder}/new.txt\n@@ -0,0 +1 @@\n+hello\n"
    assert [one.name for one in workshop.folder.iterdir()] == ["a.txt"]
    assert path.read_text() == "one\ntwo\nthree"


@promise("tools.builtin.preview")
async def test_what_may_not_be_written_is_not_shown_either(workshop: Workshop) -> None:
    (workshop.folder.parent / "secret.txt").write_text("0000")

    with pytest.raises(CapabilityDeniedError):
        await _previewed(workshop, "fs.edit", {"path": "../secret.txt", "old": "0000", "new": "1111"})


async def test_a_long_diff_is_cut(workshop: Workshop) -> None:
    diff = await _previewed(workshop, "fs.write", {"path": "new.txt", "text": "line\n" * 5_000})

    assert diff.endswith("more lines\n")
    assert diff.count("\n") < 500


@promise("tools.builtin.quota")
async def test_what_would_pass_the_quota_is_not_written(tmp_path: Path) -> None:
    workshop = a_workshop(tmp_path)
    workshop.quotas = {str(workshop.folder): 100}
    (workshop.folder / "old.txt").write_text("x" * 60)

    with pytest.raises(DeniedError, match="allows 100") as caught:
        await workshop.call("fs.write", path="new.txt", text="y" * 41)
    fits = await workshop.call("fs.write", path="new.txt", text="y" * 40)
    with pytest.raises(DeniedError):
        await workshop.call("fs.edit", path="old.txt", old="x" * 60, new="z" * 61)
    smaller = await workshop.call("fs.write", path="old.txt", text="x")

    assert caught.value.exit_code == 4
    assert (fits["created"], smaller["changed"]) == (True, True)


@promise("tools.builtin.full-disk")
@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("step", ["fsync", "rename"])
async def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, step: str, exists: bool
) -> None:
    if exists:
        (workshop.folder / "a.txt").write_text("before")
    real: Callable[..., object] = getattr(os, step)
    inside = str(workshop.folder)

    def full(*words: object, **more: object) -> object:
        target = os.readlink(f"/proc/self/fd/{words[0]}") if isinstance(words[0], int) else inside  # noqa: PTH115
        if target.startswith(inside):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*words, **more)

    monkeypatch.setattr(os, step, full)
    if step == "rename" and not exists:
        monkeypatch.setattr(os, "link", full)

    with pytest.raises(ToolError, match="No space left"):
        await workshop.call("fs.write", path="a.txt", text="after")

    assert [one.read_text() for one in workshop.folder.iterdir()] == (["before"] if exists else [])
    assert await workshop.history.changes() == []


async def test_somebody_elses_change_between_reading_and_writing_is_kept(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workshop.folder / "a.txt").write_text("one")
    write = changing._write

    def meanwhile(*words: object) -> None:
        write(*words)  # type: ignore[arg-type]  # what it was given
        (workshop.folder / "a.txt").write_text("theirs")

    monkeypatch.setattr(changing, "_write", meanwhile)

    with pytest.raises(StoreConflictError, match="at the same time"):
        await workshop.call("fs.edit", path="a.txt", old="one", new="mine")

    assert (workshop.folder / "a.txt").read_text() == "theirs"
    assert _left_over(workshop) == []


@promise("tools.builtin.concurrent-edits")
async def test_many_edits_of_one_file_at_once_are_all_made(workshop: Workshop) -> None:
    (workshop.folder / "a.txt").write_text("".join(f"<{number}>" for number in range(12)))

    async with anyio.create_task_group() as tasks:
        for number in range(12):

            async def edit(number: int = number) -> None:
                await workshop.call("fs.edit", path="a.txt", old=f"<{number}>", new=f"[{number}]")

            tasks.start_soon(edit)

    assert (workshop.folder / "a.txt").read_text() == "".join(f"[{number}]" for number in range(12))
    assert len(await workshop.history.changes()) == 12


async def test_a_file_that_cannot_be_kept_is_not_changed(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    (workshop.folder / "a.txt").write_text("before")

    def full(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("ourcli.common.files.tempfile.mkstemp", full)

    with pytest.raises(OurcliError, match="No space left"):
        await workshop.call("fs.write", path="a.txt", text="after")

    assert (workshop.folder / "a.txt").read_text() == "before"
