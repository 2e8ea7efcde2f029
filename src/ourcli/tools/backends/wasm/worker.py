"""The main function of a worker process."""

import os
import threading
from typing import BinaryIO, NoReturn

from wasmtime import Engine, WasmtimeError

from ourcli.tools.backends.wasm.engine import new_engine
from ourcli.tools.backends.wasm.guest import Guest, compile_module
from ourcli.tools.backends.wasm.orders import (
    COMPILE,
    FAILED,
    FRESH,
    INTERRUPT,
    READY,
    Orders,
    Report,
    read_orders,
    write_report,
)
from ourcli.tools.backends.wasm.sandbox import hold_in

MOST_LINE = 128 * 1024 * 1024


def work(orders_in: int, reports_out: int, module_in: int) -> NoReturn:
    """Do what the orders say, and leave.

    Nothing of the guest is compiled, loaded or run before the process gave up its rights.

    Args:
        orders_in: Descriptor of a pipe with the orders' line, and later a line whenever a call is to be interrupted.
        reports_out: Descriptor of the pipe for reports.
        module_in: Descriptor of a file that holds the module: WebAssembly to compile, else native code to run.
    """
    inbox = os.fdopen(orders_in, "rb", buffering=0)
    orders = read_orders(_line(inbox))
    module = os.pread(module_in, os.fstat(module_in).st_size, 0)  # other workers read the same open file
    os.close(module_in)
    guards = hold_in(preopens=orders.preopens, memory_bytes=orders.memory_bytes, file_bytes=orders.file_bytes)
    engine = new_engine(fuel=orders.fuel is not None)
    threading.Thread(target=_listen, args=(inbox, engine), daemon=True).start()
    try:
        if orders.task == COMPILE:
            _write_all(1, compile_module(engine, module))
        else:
            guest = Guest(engine, module, orders)
            _report(reports_out, Report(what=READY, guards=guards))
            _run(guest, orders, reports_out)
    except (WasmtimeError, MemoryError) as fault:
        _report(reports_out, Report(what=FAILED, why="module", detail=" ".join(str(fault).split())))
    finally:
        os._exit(0)  # no teardown: threads of the engine may still hold what it would free


def _run(guest: Guest, orders: Orders, reports_out: int) -> None:
    if orders.task != FRESH:
        _report(reports_out, guest.run(None))
        return
    questions = os.fdopen(0, "rb")
    while question := questions.readline(MOST_LINE):
        _report(reports_out, guest.run(question))


def _listen(inbox: BinaryIO, engine: Engine) -> None:
    """Interrupt the guest whenever the host says so, and leave when the host is gone."""
    while line := _line(inbox):
        if line == INTERRUPT:
            engine.increment_epoch()
    os._exit(0)


def _line(inbox: BinaryIO) -> bytes:
    return inbox.readline()


def _report(reports_out: int, report: Report) -> None:
    _write_all(reports_out, write_report(report))


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
