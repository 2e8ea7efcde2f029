"""The main function of a worker process.

Imports nothing that costs time: a call waits for the start of its worker, and for these modules.
"""

import _thread  # `threading` imports more than a worker needs
import os
import sys

from ourcli.tools.backends.wasm.capi import EngineError, load
from ourcli.tools.backends.wasm.feeding import Feed
from ourcli.tools.backends.wasm.guest import ComponentGuest, Engine, Guest, ModuleGuest
from ourcli.tools.backends.wasm.orders import (
    ANSWER,
    COMPILE,
    COMPONENT,
    END_OF_INPUT,
    FAILED,
    FILE_BYTES,
    FRESH,
    INTERRUPT,
    READY,
    Orders,
    Report,
    read_orders,
    write_report,
)
from ourcli.tools.backends.wasm.sandbox import hold_in

_READ = 1 << 16


def work(engine_in: str, orders_in: int, reports_out: int, module_in: int) -> None:
    """Do what the orders say, and leave.

    Nothing of the guest is compiled, loaded or run before the process gave up its rights.

    Args:
        engine_in: Folder of the engine's package.
        orders_in: Descriptor of a pipe with the orders' line, and later a line whenever a call is to be interrupted.
        reports_out: Descriptor of the pipe for reports.
        module_in: Descriptor of a file that holds the module: WebAssembly to compile, else native code to run. It is
            whole when the orders come.
    """
    library, inbox = load(engine_in), Lines(orders_in)
    orders = read_orders(inbox.next())
    if orders.task == COMPILE:
        from ourcli.tools.backends.wasm.translating import translated  # deferred: others do without its imports
    module = os.pread(module_in, os.fstat(module_in).st_size, 0)  # other workers read the same open file
    os.close(module_in)
    guards = hold_in(preopens=orders.preopens, memory_bytes=orders.memory_bytes, file_bytes=FILE_BYTES)
    try:
        if orders.task == COMPILE:
            _thread.start_new_thread(_leave_with_the_host, (inbox,))
            _write_all(1, translated(module, orders.kind, fuel=orders.fuel is not None))
        else:
            engine, feed = Engine(library, orders.kind, fuel=orders.fuel is not None), Feed()
            _thread.start_new_thread(_listen, (inbox, engine, feed))
            guest = (ComponentGuest if orders.kind == COMPONENT else ModuleGuest)(engine, module, orders)
            _report(reports_out, Report(what=READY, guards=guards))
            _run(guest, orders, feed, reports_out)
    except (EngineError, ValueError, MemoryError) as fault:
        _report(reports_out, Report(what=FAILED, why="module", detail=str(fault)))
    finally:
        sys.stderr.flush()
        os._exit(0)  # no teardown: threads of the engine may still hold what it would free


def _run(guest: Guest, orders: Orders, feed: Feed, reports_out: int) -> None:
    if orders.task != FRESH:
        _report(reports_out, guest.run(None))
        return
    questions = Lines(0)
    while question := questions.next():
        report = guest.run(feed.begin(question))
        feed.end()
        _report(reports_out, report)


def _listen(inbox: "Lines", engine: Engine, feed: Feed) -> None:
    """Do what the host says while a guest runs, and leave when the host is gone."""
    while line := inbox.next():
        word, _, rest = line.partition(b" ")
        if line == INTERRUPT:
            engine.interrupt()
        elif word == ANSWER:
            number, _, answer = rest.partition(b" ")
            feed.give(int(number), answer)
        elif word == END_OF_INPUT:
            feed.end(int(rest))
    os._exit(0)


def _leave_with_the_host(inbox: "Lines") -> None:
    while inbox.next():
        pass
    os._exit(0)


class Lines:
    """Lines of a pipe.

    Args:
        descriptor: Its reading end.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._held = descriptor, bytearray()

    def next(self) -> bytes:
        """Wait for the next line and return it with its end; b"" when the other end is closed."""
        searched = 0
        while (end := self._held.find(b"\n", searched)) < 0:
            searched = len(self._held)
            data = os.read(self._descriptor, _READ)
            if not data:
                return b""
            self._held += data
        line = bytes(self._held[: end + 1])
        del self._held[: end + 1]
        return line


def _report(reports_out: int, report: Report) -> None:
    _write_all(reports_out, write_report(report))


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
