"""Below WebAssembly: what a worker could do if a guest broke out of the engine into its process."""

import ctypes
import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.promises import promise
from tests.support.arena import SECRET

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these guards are Linux's")
PROGRAM = Path(__file__).parents[2] / "support" / "held_in.py"
_LANDLOCK_CREATE_RULESET, _ASK_VERSION = 444, 1
FILES = (
    *("read-outside", "read-passwd", "read-environment-of-parent", "read-memory-of-parent", "list-outside"),
    *("write-outside", "write-granted", "move-outside"),
)
CALLS = (
    *("make-device", "connect", "connect-6", "connect-unix", "pair", "fork", "execute", "kill-parent", "kill-all"),
    *("trace-parent", "own-namespace", "mount", "become-root"),
)
LIMITS = {"lift-limits": errno.EPERM, "many-files": errno.EMFILE, "memory": errno.ENOMEM}


def guards_of_this_kernel() -> set[str]:
    """Return the guards that a worker must report here, found without its code."""
    version = ctypes.CDLL(None).syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION)
    seccomp = "Seccomp:" in Path("/proc/self/status").read_text()
    known = os.uname().machine in ("x86_64", "aarch64")
    found = {"rlimits", "no-new-privs"}
    found |= {f"landlock-{version}"} if version > 0 else set()
    return found | ({"no-capabilities"} if known else set()) | ({"seccomp"} if known and seccomp else set())


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what a process reports that was held in and then tried everything."""
    folder = tmp_path_factory.mktemp("held")
    for name in ("outside", "granted"):
        (folder / name).mkdir()
    (folder / "outside" / "secret.txt").write_text(SECRET)
    (folder / "granted" / "note.txt").write_text("a note")
    command = [sys.executable, str(PROGRAM), str(folder), str(os.getpid()), "9"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "folder": folder}


@promise("tools.attacks.sealed")
@promise("tools.wasm.held-in")
def test_a_process_is_held_in_by_every_guard_that_this_kernel_has(tried: dict[str, Any]) -> None:
    assert set(tried["guards"]) == guards_of_this_kernel()


@promise("tools.attacks.sealed")
@pytest.mark.parametrize("attempt", CALLS)
def test_no_process_program_socket_or_signal_comes_out_of_it(tried: dict[str, Any], attempt: str) -> None:
    if "seccomp" in guards_of_this_kernel():
        assert tried["found"][attempt] == errno.EPERM
    else:
        assert "seccomp" not in tried["guards"]


@promise("tools.attacks.sealed")
@pytest.mark.parametrize("attempt", FILES)
def test_no_file_outside_of_the_granted_folders_is_reached(tried: dict[str, Any], attempt: str) -> None:
    if any(guard.startswith("landlock") for guard in guards_of_this_kernel()):
        assert tried["found"][attempt] in (errno.EACCES, errno.EXDEV, errno.EPERM)
    else:
        assert not any(guard.startswith("landlock") for guard in tried["guards"])


@promise("tools.attacks.sealed")
@pytest.mark.parametrize("attempt", LIMITS)
def test_memory_and_descriptors_are_bounded_and_the_bounds_cannot_be_lifted(
    tried: dict[str, Any], attempt: str
) -> None:
    assert tried["found"][attempt] == LIMITS[attempt]


@promise("tools.attacks.sealed")
def test_what_was_granted_works_and_nothing_else_happened(tried: dict[str, Any]) -> None:
    folder = tried["folder"]

    assert tried["found"]["read-granted"] == 0
    assert set(tried["found"]) == {"read-granted", *FILES, *CALLS, *LIMITS}
    if any(guard.startswith("landlock") for guard in tried["guards"]):
        assert [path.name for path in (folder / "outside").iterdir()] == ["secret.txt"]
        assert [path.name for path in (folder / "granted").iterdir()] == ["note.txt"]
