"""Start a worker process: a clear environment, five pipes, one sealed file, a session of its own."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from ourcli.common.errors import ToolError
from ourcli.tools.backends.wasm.sealed import SealedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipes:
    """The host's ends; none of them blocks."""

    stdin: int
    stdout: int
    stderr: int
    orders: int
    reports: int

    def close(self) -> None:
        """Close every end."""
        for descriptor in (self.stdin, self.stdout, self.stderr, self.orders, self.reports):
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Spawned:
    """A worker that waits for its orders; the module's file may be filled until they are given."""

    process: "subprocess.Popen[bytes]"
    pipes: Pipes

    def discard(self) -> None:
        """Kill it and wait until it is gone; blocks."""
        self.process.kill()
        self.process.wait()
        self.pipes.close()


def spawn(command: Sequence[str], module: SealedFile) -> Spawned:
    """Start a worker and return it with the host's ends of its pipes.

    To be called on the event loop's own thread, which costs it a moment: the system ends a worker together with the
    thread that started it (`PR_SET_PDEATHSIG`), and threads of a pool come and go.

    Raises:
        ToolError: The system has no process or descriptor left.
    """
    mine: list[int] = []
    theirs: list[int] = []
    try:
        for host_writes in (True, False, False, True, False):
            reading, writing = os.pipe()
            mine.append(writing if host_writes else reading)
            theirs.append(reading if host_writes else writing)
        stdin, stdout, stderr, orders_in, reports_out = theirs
        process = subprocess.Popen(
            [*command, str(orders_in), str(reports_out), str(module.descriptor)],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env={},
            cwd="/",
            pass_fds=(orders_in, reports_out, module.descriptor),
            start_new_session=True,
        )
    except OSError as exc:
        for descriptor in mine:
            os.close(descriptor)
        raise ToolError(f"cannot start a worker: {exc.strerror or exc}", hint="close other programs") from exc
    finally:
        for descriptor in theirs:
            os.close(descriptor)
    for descriptor in mine:
        os.set_blocking(descriptor, False)
    return Spawned(process, Pipes(stdin=mine[0], stdout=mine[1], stderr=mine[2], orders=mine[3], reports=mine[4]))
