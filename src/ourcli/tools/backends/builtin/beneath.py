"""Open files below a folder, whatever links, `..` and other processes do meanwhile.

A path is resolved once, by the kernel or step by step with descriptors; what was opened is what is used, so a name
that changes its meaning between a check and a use changes nothing.

Sources: Linux `openat2(2)`; elsewhere `openat(2)` with `O_NOFOLLOW` for every component.
"""

import ctypes
import errno
import os
import struct
import sys
from pathlib import Path
from typing import Final

from ourcli.common.errors import StoreError

_OPENAT2: Final = 437
_NO_MAGIC_LINKS: Final = 0x02
_NO_LINKS: Final = 0x04
_BENEATH: Final = 0x08
_TRIES: Final = 64
_NO_OPENAT2: Final = {errno.ENOSYS, errno.EPERM, errno.E2BIG}
PATH_ONLY: Final = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_CLOEXEC", 0)
"""Open a folder only to begin at it, or anything only to look at it."""
_F_GETPATH: Final = 50
_MOST_PATH: Final = 1024


def open_beneath(folder: int, path: str, flags: int, *, links: bool = True) -> int:
    """Open what stands at a relative path below an open folder; it never waits and never becomes a terminal.

    Args:
        folder: Descriptor of the folder.
        path: Relative, without `..`.
        flags: As for `os.open`.
        links: Follow symbolic links that stay below the folder, where the system can tell; else any link is an error.

    Raises:
        OSError: EXDEV or ELOOP when the way leads, or might lead, out of the folder.
    """
    wanted = flags | os.O_CLOEXEC
    if not wanted & getattr(os, "O_PATH", 0):
        wanted |= os.O_NONBLOCK | os.O_NOCTTY  # a pipe is not waited for
    if sys.platform == "linux":
        try:
            return _open_by_kernel(folder, path, wanted, _BENEATH | _NO_MAGIC_LINKS | (0 if links else _NO_LINKS))
        except OSError as exc:
            if exc.errno not in _NO_OPENAT2:
                raise
    return open_by_steps(folder, path, wanted)


def _open_by_kernel(folder: int, path: str, flags: int, resolve: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    how = struct.pack("=QQQ", flags, 0, resolve)
    for _ in range(_TRIES):
        descriptor = int(libc.syscall(_OPENAT2, folder, os.fsencode(path), how, ctypes.c_size_t(len(how))))
        if descriptor >= 0:
            return descriptor
        number = ctypes.get_errno()
        if number not in {errno.EAGAIN, errno.EINTR}:  # somebody renamed a folder on the way
            break
    raise OSError(number, os.strerror(number), path)


def open_by_steps(folder: int, path: str, flags: int) -> int:
    """Do the same one component after the other; any symbolic link on the way is an error.

    Raises:
        OSError: ELOOP or ENOTDIR at a link, EXDEV at `..`.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts or path.startswith("/"):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), path)
    current = os.dup(folder)
    try:
        for part in parts[:-1]:
            step = os.open(part, PATH_ONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=current)
            os.close(current)
            current = step
        return os.open(parts[-1] if parts else ".", flags | os.O_NOFOLLOW, dir_fd=current)
    finally:
        os.close(current)


def open_folder(path: str) -> int:
    """Open a folder to begin at; links on the way are followed: it is the user's own word.

    Raises:
        OSError: There is none.
    """
    return os.open(path, PATH_ONLY | os.O_DIRECTORY)


def true_path(descriptor: int) -> str:
    """Return where an open file or folder really stands now.

    Raises:
        StoreError: The system does not tell.
    """
    try:
        return str(Path(f"/proc/self/fd/{descriptor}").readlink())
    except FileNotFoundError:
        return _asked_path(descriptor)
    except OSError as exc:
        raise StoreError(f"cannot tell where an open file stands: {exc.strerror or exc}") from exc


def _asked_path(descriptor: int) -> str:
    """Ask macOS, which has no /proc."""
    try:
        from fcntl import fcntl  # deferred: not on Windows

        return os.fsdecode(fcntl(descriptor, _F_GETPATH, bytes(_MOST_PATH)).rstrip(b"\0"))
    except (OSError, ImportError) as exc:
        raise StoreError("this system does not tell where an open file stands", hint="mount /proc") from exc
