"""`shell.run`: words without a shell, in a granted folder, held in, and gone when its time is over."""

import os
import sys
from pathlib import Path
from typing import cast

import anyio
import pytest

from ourcli.common.errors import CapabilityDeniedError, DeniedError, NotFoundError, ToolInputError, ToolTimeoutError
from ourcli.tools.backends.builtin.confine import landlock_version
from ourcli.tools.data import Json
from ourcli.tools.ports import Previews, ToolContext
from tests.promises import promise
from tests.support.builtin import Workshop, a_workshop

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="programs are run on Linux and macOS only"),
]


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Return a folder that may be written, with programs allowed."""
    return a_workshop(tmp_path, "fs:write={}", "exec", shell=True)


def _words(*words: str) -> list[Json]:
    return list(words)


@promise("tools.builtin.shell")
async def test_it_is_not_there_unless_it_is_switched_on(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        await a_workshop(tmp_path, "exec").call("shell.run", argv=_words("true"))


@promise("tools.builtin.shell")
@pytest.mark.parametrize(
    ("rights", "lacking"), [(["fs:write={}"], "exec"), (["exec"], "fs:write="), (["exec", "fs:read={}"], "fs:write=")]
)
async def test_without_its_rights_nothing_runs(tmp_path: Path, rights: list[str], lacking: str) -> None:
    workshop = a_workshop(tmp_path, *rights, shell=True)

    with pytest.raises(CapabilityDeniedError) as caught:
        await workshop.call("shell.run", argv=_words("touch", "made"))

    assert caught.value.capability.startswith(lacking)
    assert list(workshop.folder.iterdir()) == []


@pytest.mark.parametrize("words", [[""], ["a\0b"]])
async def test_what_names_no_program_is_refused(workshop: Workshop, words: list[str]) -> None:
    with pytest.raises(ToolInputError, match="argv"):
        await workshop.call("shell.run", argv=_words(*words))


@promise("tools.builtin.shell")
async def test_words_reach_the_program_as_they_are_and_no_shell_sees_them(workshop: Workshop) -> None:
    ran = await workshop.call("shell.run", argv=_words("printf", "%s|", "$HOME; touch made", "*", "`id`"))

    assert ran == {"exit_code": 0, "stdout": "$HOME; touch made|*|`id`|", "stderr": "", "truncated": False}
    assert list(workshop.folder.iterdir()) == []


async def test_a_program_that_is_not_there_or_fails_says_so(workshop: Workshop) -> None:
    missing = await workshop.call("shell.run", argv=_words("no-such-program"))
    failed = await workshop.call("shell.run", argv=_words("sh", "-c", "echo bad >&2; exit 3"))

    assert (missing["exit_code"], "no-such-program" in str(missing["stderr"])) == (127, True)
    assert (failed["exit_code"], failed["stderr"]) == (3, "bad\n")


@promise("tools.builtin.shell-held-in")
async def test_it_sees_a_cleared_environment_and_no_input(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "secret")
    monkeypatch.setenv("EDITOR_NAME", "ed")
    workshop.rights.append("env=EDITOR_NAME")

    ran = await workshop.call("shell.run", argv=_words("sh", "-c", "env; cat; pwd"))

    told = str(ran["stdout"]).splitlines()
    keys = {line.partition("=")[0] for line in told[:-1]}
    assert {"PATH", "HOME", "TMPDIR", "PWD", "EDITOR_NAME"} <= keys <= {
        *("PATH", "HOME", "LANG", "TMPDIR", "PWD", "EDITOR_NAME", "SHLVL", "_", "OLDPWD", "LC_CTYPE")
    }  # fmt: skip
    assert told[-1] == str(workshop.folder)


@promise("tools.builtin.shell-held-in")
@pytest.mark.skipif(landlock_version() < 1, reason="this kernel has no Landlock")
async def test_it_writes_below_granted_folders_only_and_reads_nobodys_secrets(workshop: Workshop) -> None:
    outside = workshop.folder.parent / "secret.txt"
    outside.write_text("0000")
    script = f"cat {outside}; echo x > {outside.parent}/made; echo ok > inside; mktemp > /dev/null && echo temporary"

    ran = await workshop.call("shell.run", argv=_words("sh", "-c", script))

    assert "0000" not in str(ran["stdout"])
    assert (str(ran["stdout"]), (workshop.folder / "inside").read_text()) == ("temporary\n", "ok\n")
    assert not (outside.parent / "made").exists()
    assert str(ran["stderr"]).count("ermission denied") == 2


@promise("tools.builtin.shell-held-in")
@pytest.mark.parametrize("right", ["fs:read=.", "fs:read=own/state", "fs:read=link", "fs:write=link"])
async def test_a_grant_that_leads_into_ourclis_own_folder_is_too_wide_for_a_program(tmp_path: Path, right: str) -> None:
    (tmp_path / "own" / "state").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "own" / "state")
    right = right.replace("=", f"={tmp_path}/")
    workshop = a_workshop(tmp_path, right, "fs:write={}", "exec", shell=True)

    with pytest.raises(DeniedError, match="ourcli's own folder"):
        await workshop.call("shell.run", argv=_words("touch", "made"))

    assert list(workshop.folder.iterdir()) == []


async def test_each_stream_is_bounded(workshop: Workshop) -> None:
    script = "head -c 300000 /dev/zero | tr '\\0' o; head -c 300000 /dev/zero | tr '\\0' e >&2"

    ran = await workshop.call("shell.run", argv=_words("sh", "-c", script))

    assert (len(str(ran["stdout"])), len(str(ran["stderr"])), ran["truncated"]) == (100_000, 100_000, True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


async def _gone(pid: int) -> bool:
    with anyio.move_on_after(20):
        while _alive(pid):
            await anyio.lowlevel.checkpoint()
        return True
    return False


@promise("tools.builtin.shell")
async def test_when_its_time_is_over_all_that_it_started_is_killed(workshop: Workshop) -> None:
    script = "sleep 600 & echo $! > pid; trap '' TERM INT HUP; wait; sleep 600"

    with pytest.raises(ToolTimeoutError, match="killed with all that it started"):
        await workshop.call("shell.run", argv=_words("sh", "-c", script), timeout_s=2)

    assert await _gone(int((workshop.folder / "pid").read_text()))


@promise("tools.builtin.shell")
async def test_what_a_program_leaves_behind_is_killed_with_its_end(workshop: Workshop) -> None:
    ran = await workshop.call("shell.run", argv=_words("sh", "-c", "sleep 600 & echo $! > pid; echo done"))

    assert (ran["exit_code"], ran["stdout"]) == (0, "done\n")
    assert await _gone(int((workshop.folder / "pid").read_text()))


async def test_a_cancelled_call_leaves_no_process(workshop: Workshop) -> None:
    async with anyio.create_task_group() as tasks:

        async def run() -> None:
            await workshop.call("shell.run", argv=_words("sh", "-c", "echo $$ > pid; exec sleep 600"))

        tasks.start_soon(run)
        with anyio.fail_after(60):
            while not (workshop.folder / "pid").exists() or not (workshop.folder / "pid").read_text().strip():
                await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()

    assert await _gone(int((workshop.folder / "pid").read_text()))


async def test_what_would_run_is_shown_word_by_word(workshop: Workshop) -> None:
    tool = cast("Previews", (await workshop.runner()).registry.get("shell.run"))

    shown = await tool.preview({"argv": _words("rm", "-r", "a b")}, ToolContext(folder=workshop.folder))

    assert shown == f"'rm'\n'-r'\n'a b'\nin '{workshop.folder}'\n"
