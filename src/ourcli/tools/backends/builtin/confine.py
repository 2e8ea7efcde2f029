"""Start a program that can read the system and what was granted, and write only what was granted.

This file is run as a process of its own between ourcli and the program: it gives up rights for good and becomes the
program. Where the kernel lacks a guard the program runs without it. It imports nothing that costs time.

Sources: Linux `Documentation/userspace-api/landlock.rst`, `prctl(2)`.
"""

import ctypes
import os
import struct
import sys
from collections.abc import Sequence

_PR_SET_NO_NEW_PRIVS = 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE, _DEVICE_CONTROL = 1, 2, 4, 8, 1 << 14, 1 << 15
_MAKE_CHAR, _MAKE_BLOCK = 1 << 6, 1 << 11
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _DEVICE_CONTROL
_ALL_TCP = 3
SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix", "/snap", "/proc", "/sys",
    "/dev", "/run/current-system", "/var/lib",
)  # fmt: skip
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")
CONFINED = "import sys; sys.path[0:0] = sys.argv[1:2]; from ourcli.tools.backends.builtin.confine import main; main()"
"""What the process in between runs; its words are the folder of ourcli's package and those of `main`."""


def main() -> None:
    """Give up rights and become the program that the words name.

    Words: the folder of the package, `1` for TCP or `0`, how many folders may be read and how many written, those
    folders, then the program and its own words.
    """
    _package, network, count_read, count_write, *rest = sys.argv[1:]
    reads, writes = int(count_read), int(count_write)
    readable, writable, words = rest[:reads], rest[reads : reads + writes], rest[reads + writes :]
    program = found(words[0])  # looked for while everything can still be looked at
    if sys.platform == "linux":
        confine(readable, writable, network=network == "1")
    try:
        os.execv(program, words)  # noqa: S606  # without a shell is the point
    except OSError as exc:
        sys.stderr.write(f"{words[0]}: {exc.strerror}\n")
        os._exit(127 if isinstance(exc, FileNotFoundError) else 126)


def found(program: str) -> str:
    """Return where a program stands, or its name when it is nowhere."""
    if "/" in program:
        return program
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        path = f"{folder}/{program}"
        if folder.startswith("/") and os.access(path, os.X_OK) and not os.path.isdir(path):  # noqa: PTH112  # it costs less
            return path
    return program


def confine(readable: Sequence[str], writable: Sequence[str], *, network: bool) -> None:
    """Restrict this process and all that it becomes or starts."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    version = landlock_version()
    if version < 1:
        return
    handled = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    words = [handled] + ([0 if network else _ALL_TCP] if version >= 4 else [])
    attributes = struct.pack(f"={len(words)}Q", *words)
    ruleset = int(libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0))
    if ruleset < 0:
        return
    for path in (*SYSTEM, *os.environ.get("PATH", "").split(os.pathsep), *readable):
        _allow(libc, ruleset, path, (_EXECUTE | _READ_FILE | _READ_DIR) & handled)
    for path in _DEVICES:
        _allow(libc, ruleset, path, (_READ_FILE | _WRITE_FILE | _DEVICE_CONTROL) & handled)
    for path in writable:
        _allow(libc, ruleset, path, handled & ~(_MAKE_CHAR | _MAKE_BLOCK))
    if int(libc.syscall(_RESTRICT_SELF, ruleset, 0)) != 0:
        sys.stderr.write("landlock: the rules could not be applied\n")
        os._exit(126)
    os.close(ruleset)


def landlock_version() -> int:
    """Return which Landlock the kernel has, less than 1 for none."""
    if sys.platform != "linux":
        return 0
    return int(ctypes.CDLL(None).syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION))


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    """Allow what is below a path; one that is not there needs no right."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        is_folder = os.fstat(place).st_mode & 0o170000 == 0o040000
        rule = struct.pack("=Qi", rights if is_folder else rights & _OF_FILES, place)
        libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
    finally:
        os.close(place)
