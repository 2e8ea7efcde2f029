"""Start a worker process: a clear environment, five pipes, one sealed file, a session of its own."""

import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from ourcli.common.errors import ToolError
from ourcli.tools.backends.wasm.orders import Orders, write_orders
from ourcli.tools.backends.wasm.sealed import SealedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipes:
    """The host's ends; all of them never block, apart from `orders`."""

    stdin: int
    stdout: int
    stderr: int
    orders: int
    reports: int

    def close(self) -> None:
        """Close every end."""
        for descriptor in (self.stdin, self.stdout, self.stderr, self.orders, self.reports):
            os.close(descriptor)


def spawn(command: Sequence[str], orders: Orders, module: SealedFile) -> tuple["subprocess.Popen[bytes]", Pipes]:
    """Start a worker and tell it its orders; return it with the host's ends of its pipes.

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
    pipes = Pipes(stdin=mine[0], stdout=mine[1], stderr=mine[2], orders=mine[3], reports=mine[4])
    for descriptor in (pipes.stdin, pipes.stdout, pipes.stderr, pipes.reports):
        os.set_blocking(descriptor, False)
    with suppress(BrokenPipeError):  # it is gone already, which the reader of its reports will see
        os.write(pipes.orders, write_orders(orders))
    return process, pipes
