"""Have a module compiled, by a worker that holds nothing else and gave up its rights."""

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import anyio
from anyio import CancelScope, to_thread

from ourcli.common.errors import PluginError
from ourcli.tools.backends.wasm.orders import COMPILE, COMPONENT, MODULE, Orders, read_report, write_orders
from ourcli.tools.backends.wasm.sealed import SealedFile
from ourcli.tools.backends.wasm.spawn import spawn
from ourcli.tools.logtext import harmless

COMPILE_S: Final = 120.0
_MEMORY_BYTES: Final = 2 * 1024 * 1024 * 1024
_MOST_BYTES: Final = 512 * 1024 * 1024
_KINDS: Final = {b"\0asm\x01\0\0\0": MODULE, b"\0asm\x0d\0\x01\0": COMPONENT}


def kind_of(wasm: bytes) -> str:
    """Return whether it is a core module or a component (the binary formats' `layer`).

    Raises:
        PluginError: It is neither.
    """
    kind = _KINDS.get(wasm[:8])
    if kind is None:
        raise PluginError("the file is no WebAssembly", hint="build it as a command for WASI")
    return kind


async def compiled(command: Sequence[str], wasm: bytes, *, fuel: bool) -> bytes:
    """Return native code for a module or a component.

    Raises:
        PluginError: It is not valid, wants what is not there, or compiling it takes too long.
    """
    kind = kind_of(wasm)
    orders = Orders(task=COMPILE, kind=kind, memory_bytes=_MEMORY_BYTES, fuel=1 if fuel else None)
    module = SealedFile(wasm)
    try:
        spawned = spawn(command, module)
    finally:
        module.close()
    pipes = spawned.pipes
    try:
        with suppress(OSError):  # it is gone already, which reading tells
            os.write(pipes.orders, write_orders(orders))
        with anyio.move_on_after(COMPILE_S) as limit:
            content = await _read_all(pipes.stdout, _MOST_BYTES)
            report = await _read_all(pipes.reports, 1 << 14)
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(spawned.discard)
    if limit.cancelled_caught:
        raise PluginError(f"compiling the {kind} takes longer than {COMPILE_S:g} s")
    if report or not content:
        why = harmless(read_report(report.splitlines()[0]).detail) if report else "the compiler's worker died"
        raise PluginError(f"the {kind} cannot be compiled: {why}", hint="build it again, as a command for WASI")
    return content


async def _read_all(descriptor: int, most_bytes: int) -> bytes:
    found = bytearray()
    while len(found) <= most_bytes:
        try:
            data = os.read(descriptor, 1 << 20)
        except BlockingIOError:
            await anyio.wait_readable(descriptor)
            continue
        if not data:
            return bytes(found)
        found += data
    raise PluginError(f"the compiled module is larger than {most_bytes} bytes")
