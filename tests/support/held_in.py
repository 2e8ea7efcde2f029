"""A process that is held in exactly as a worker is, and then tries to get out. Run as a program by the suite.

It prints one JSON object: the guards that are active, and for every attempt the number of the error, 0 when it worked.
"""

import ctypes
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from ourcli.tools.backends.wasm.orders import Preopen
from ourcli.tools.backends.wasm.sandbox import hold_in

_PTRACE_ATTACH = 16
_MEMORY_BYTES = 64 * 1024 * 1024
_LIBC = ctypes.CDLL(None, use_errno=True)


def called(name: str, *arguments: object) -> None:
    """Call a function of libc that returns a negative number when it fails.

    Raises:
        OSError: It failed.
    """
    if int(getattr(_LIBC, name)(*arguments)) < 0:
        raise OSError(ctypes.get_errno(), name)


def listed(path: str) -> None:
    """Look into a folder."""
    assert os.listdir(path) is not None  # noqa: PTH208  # one call, no layer between


def opened(path: str, flags: int = os.O_RDONLY) -> None:
    """Open a file and let go of it."""
    os.close(os.open(path, flags, 0o600))


def connected(family: int, address: object) -> None:
    """Make a socket and connect it."""
    with socket.socket(family, socket.SOCK_STREAM) as stream:
        stream.connect(address)  # type: ignore[arg-type]  # whatever the family takes


def forked() -> None:
    """Make a process."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def replaced() -> None:
    """Become another program; whoever succeeds prints nothing."""
    os.execv("/bin/sh", ["/bin/sh", "-c", "exit 7"])


def allocated() -> None:
    """Take more memory than was agreed."""
    try:
        bytearray(4 * 1024 * 1024 * 1024)
    except MemoryError as exc:
        raise OSError(12, "no memory") from exc


def attempts(folder: Path, parent: int, port: int) -> dict[str, Callable[[], object]]:
    """Return what is tried, by name."""
    outside, granted = str(folder / "outside"), str(folder / "granted")
    return {
        "read-granted": lambda: opened(f"{granted}/note.txt"),
        "read-outside": lambda: opened(f"{outside}/secret.txt"),
        "read-passwd": lambda: opened("/etc/passwd"),
        "read-environment-of-parent": lambda: opened(f"/proc/{parent}/environ"),
        "read-memory-of-parent": lambda: opened(f"/proc/{parent}/mem"),
        "list-outside": lambda: listed(outside),
        "write-outside": lambda: opened(f"{outside}/new.txt", os.O_WRONLY | os.O_CREAT),
        "write-granted": lambda: opened(f"{granted}/new.txt", os.O_WRONLY | os.O_CREAT),
        "make-device": lambda: os.mknod(f"{granted}/device", 0o600 | 0o020000, os.makedev(1, 3)),
        "move-outside": lambda: os.rename(f"{outside}/secret.txt", f"{outside}/taken.txt"),  # noqa: PTH104  # as above
        "connect": lambda: connected(socket.AF_INET, ("127.0.0.1", port)),
        "connect-6": lambda: connected(socket.AF_INET6, ("::1", port)),
        "connect-unix": lambda: connected(socket.AF_UNIX, str(folder / "socket")),
        "pair": socket.socketpair,
        "fork": forked,
        "execute": replaced,
        "kill-parent": lambda: os.kill(parent, signal.SIGTERM),
        "kill-all": lambda: os.kill(-1, signal.SIGCONT),
        "trace-parent": lambda: called("ptrace", _PTRACE_ATTACH, parent, None, None),
        "own-namespace": lambda: called("unshare", 0x10000000),
        "mount": lambda: called("mount", b"none", granted.encode(), b"tmpfs", 0, None),
        "become-root": lambda: called("setuid", 0),
        "lift-limits": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096)),
        "many-files": lambda: [os.dup(0) for _ in range(200)],
        "memory": allocated,
    }


def outcome(attempt: Callable[[], object]) -> int:
    """Return the number of the error of an attempt, 0 when it worked."""
    try:
        attempt()
    except OSError as exc:
        return exc.errno or -1
    except ValueError:  # what the limits say of a bound above theirs
        return 1
    return 0


def main() -> None:
    """Be held in, try everything, say what came of it."""
    folder, parent, port = Path(sys.argv[1]).resolve(), int(sys.argv[2]), int(sys.argv[3])
    preopens = (Preopen(path=str(folder / "granted"), writable=False),)
    guards = hold_in(preopens=preopens, memory_bytes=_MEMORY_BYTES, file_bytes=1 << 20)
    found = {name: outcome(attempt) for name, attempt in attempts(folder, parent, port).items()}
    os.write(1, json.dumps({"guards": guards, "found": found}).encode())


if __name__ == "__main__":
    main()
