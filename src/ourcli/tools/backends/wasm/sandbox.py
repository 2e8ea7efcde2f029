"""Hold a worker in from outside the engine: what a guest could do even if it broke out of WebAssembly.

Everything here is given up for good and for every thread that starts later. Where a kernel lacks a guard, the others
still hold, and the worker reports which ones are active.

A worker imports this file, so it imports nothing that costs time.

Sources: Linux `Documentation/userspace-api/landlock.rst`, `seccomp(2)`, `prctl(2)`, `capset(2)`.
"""

import ctypes
import errno
import os
import struct
import sys

from ourcli.tools.backends.wasm.orders import Preopen
from ourcli.tools.backends.wasm.syscalls import ARCHITECTURES, Architecture

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522
_SIGKILL = 9
_OPEN_FILES = 64
_OWN_BYTES = 1024 * 1024 * 1024
"""Private memory of the worker besides the guest's: Python, the engine, compiled code."""


def hold_in(*, preopens: tuple[Preopen, ...], memory_bytes: int, file_bytes: int) -> tuple[str, ...]:
    """Give up every right the guest was not granted; return the guards that are active.

    Args:
        preopens: The folders that stay reachable.
        memory_bytes: Linear memory of the guest.
        file_bytes: A file may grow to so many bytes.
    """
    active = []
    if _limit_resources(memory_bytes, file_bytes):
        active.append("rlimits")
    if sys.platform != "linux":
        return tuple(active)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        active.append("no-new-privs")
    version = _restrict_files(libc, preopens)
    if version:
        active.append(f"landlock-{version}")
    architecture = ARCHITECTURES.get(os.uname().machine)
    if architecture is not None:
        if _drop_capabilities(libc, architecture):
            active.append("no-capabilities")
        if _filter_calls(libc, architecture):
            active.append("seccomp")
    return tuple(active)


def _limit_resources(memory_bytes: int, file_bytes: int) -> bool:
    if sys.platform == "win32":
        return False
    import resource  # deferred: not on Windows

    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_DATA: memory_bytes + _OWN_BYTES,
    }
    for which, most in wanted.items():
        _soft, hard = resource.getrlimit(which)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (bound, bound))
    return True


def _drop_capabilities(libc: ctypes.CDLL, architecture: Architecture) -> bool:
    """Empty the thread's capability sets: a worker that root started has no more rights than another."""
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    nothing = bytes(24)
    return int(libc.syscall(architecture.capset, header, nothing)) == 0


# Landlock

_CREATE_RULESET = 444
_ADD_RULE = 445
_RESTRICT_SELF = 446
_ASK_VERSION = 1
_PATH_BENEATH = 1
_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
_REMOVE_DIR = 1 << 4
_REMOVE_FILE = 1 << 5
_MAKE_DIR = 1 << 7
_MAKE_REG = 1 << 8
_MAKE_SYM = 1 << 12
_REFER = 1 << 13
_TRUNCATE = 1 << 14
_ALL_NET = 0b11
_ALL_SCOPES = 0b11


def _handled(version: int) -> int:
    bits = {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)
    return (1 << bits) - 1


def _restrict_files(libc: ctypes.CDLL, preopens: tuple[Preopen, ...]) -> int:
    """Leave no file reachable but those below the preopens, no TCP, no foreign process; return Landlock's version."""
    version = int(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION))
    if version < 1:
        return 0
    handled = _handled(version)
    words = [handled] + ([_ALL_NET] if version >= 4 else []) + ([_ALL_SCOPES] if version >= 6 else [])
    attributes = struct.pack(f"={len(words)}Q", *words)
    ruleset = int(libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0))
    if ruleset < 0:
        return 0
    try:
        for preopen in preopens:
            _allow_below(libc, ruleset, preopen, handled)
        return version if int(libc.syscall(_RESTRICT_SELF, ruleset, 0)) == 0 else 0
    finally:
        os.close(ruleset)


def _allow_below(libc: ctypes.CDLL, ruleset: int, preopen: Preopen, handled: int) -> None:
    rights = _READ_FILE | _READ_DIR
    if preopen.writable:
        rights |= _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _MAKE_SYM | _REFER | _TRUNCATE
    folder = _opened(preopen.path)
    try:
        rule = struct.pack("=Qi", rights & handled, folder)
        if int(libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)) != 0:
            raise OSError(ctypes.get_errno(), "cannot allow a granted folder", preopen.path)
    finally:
        os.close(folder)


def _opened(path: str) -> int:
    """Return a descriptor of a folder; the host resolved its path, so a link on the way was put there since."""
    flags = os.O_PATH | os.O_CLOEXEC | os.O_DIRECTORY | os.O_NOFOLLOW
    folder = os.open("/", flags)
    for part in filter(None, path.split("/")):
        above = folder
        try:
            folder = os.open(part, flags, dir_fd=above)
        finally:
            os.close(above)
    return folder


# seccomp

_SET_FILTER = 1
_LOAD = 0x20
_JUMP_EQUAL = 0x15
_JUMP_AT_LEAST = 0x35
_JUMP_ANY_BIT = 0x45
_RETURN = 0x06
_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_REFUSE = 0x00050000 | errno.EPERM
_ABSENT = 0x00050000 | errno.ENOSYS
_OFFSET_NUMBER = 0
_OFFSET_ARCHITECTURE = 4
_OFFSET_FIRST_ARGUMENT = 16
_CLONE_THREAD = 0x00010000
_X32 = 0x40000000


def _program(architecture: Architecture) -> bytes:
    """Return the filter: no new process or program, no socket, no other processes, mounts or keys."""

    def step(code: int, value: int, when: int = 0, otherwise: int = 0) -> bytes:
        return struct.pack("=HBBI", code, when, otherwise, value)

    refused = sorted(architecture.refused)
    steps = [
        step(_LOAD, _OFFSET_ARCHITECTURE),
        step(_JUMP_EQUAL, architecture.audit, 1, 0),
        step(_RETURN, _KILL),
        step(_LOAD, _OFFSET_NUMBER),
        step(_JUMP_AT_LEAST, _X32, 0, 1),
        step(_RETURN, _KILL),
        step(_JUMP_EQUAL, architecture.clone3, 0, 1),
        step(_RETURN, _ABSENT),  # libraries then use clone, whose flags can be looked at
        step(_JUMP_EQUAL, architecture.clone, 0, 3),
        step(_LOAD, _OFFSET_FIRST_ARGUMENT),
        step(_JUMP_ANY_BIT, _CLONE_THREAD, 0, len(refused) + 2),
        step(_RETURN, _ALLOW),
    ]
    steps += [step(_JUMP_EQUAL, number, len(refused) - place) for place, number in enumerate(refused)]
    steps += [step(_RETURN, _ALLOW), step(_RETURN, _REFUSE)]
    # the jump for a clone that is no thread lands on the last step
    steps[10] = step(_JUMP_ANY_BIT, _CLONE_THREAD, 0, len(steps) - 1 - 11)
    return b"".join(steps)


def _filter_calls(libc: ctypes.CDLL, architecture: Architecture) -> bool:
    program = _program(architecture)
    instructions = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    return int(libc.syscall(architecture.seccomp, _SET_FILTER, 0, header)) == 0
