"""A pseudo-terminal with a process on it: what a person would see and type."""

import os
import pty
import select
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE_S = 120
"""Only bounds a failure."""


class Terminal:
    """The person's side of the terminal.

    Args:
        process: What runs on it.
        master: Its descriptor.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", master: int) -> None:
        self.process = process
        self._master = master
        self.seen = ""

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def wait_for(self, text: str) -> None:
        """Read until `text` was shown after the last text that was waited for."""
        while text not in self.seen:
            ready, _, _ = select.select([self._master], [], [], PATIENCE_S)
            assert ready, f"{text!r} did not come; seen: {self.seen!r}"
            self.seen += os.read(self._master, 65536).decode("utf-8", "replace")
        self.seen = self.seen.partition(text)[2]

    def wait_for_the_end(self) -> int:
        """Read whatever comes until the process ends; return its exit code."""
        with suppress(OSError):  # the other side of a pseudo-terminal that closed
            while select.select([self._master], [], [], PATIENCE_S)[0] and os.read(self._master, 65536):
                pass
        return self.process.wait(timeout=PATIENCE_S)


@contextmanager
def on_a_terminal(words: Sequence[str | bytes], *, folder: Path, environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Run a command on a terminal of its own; it is killed at the end if it still runs."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        words,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        cwd=folder,
        env={**environment, "TERM": "xterm"},
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)
