"""Have a module compiled, by a worker that holds nothing else and gave up its rights."""

import os
from collections.abc import Sequence
from functools import partial
from typing import Final

import anyio
from anyio import CancelScope, to_thread

from ourcli.common.errors import PluginError
from ourcli.tools.backends.wasm.orders import COMPILE, Orders, read_report
from ourcli.tools.backends.wasm.sealed import SealedFile
from ourcli.tools.backends.wasm.spawn import spawn
from ourcli.tools.logtext import harmless

COMPILE_S: Final = 120.0
_MEMORY_BYTES: Final = 2 * 1024 * 1024 * 1024
_MOST_BYTES: Final = 512 * 1024 * 1024


async def compiled(command: Sequence[str], wasm: bytes, *, fuel: bool) -> bytes:
    """Return native code for a module of WebAssembly.

    Raises:
        PluginError: It is no valid module, or compiling it takes too long.
    """
    orders = Orders(task=COMPILE, memory_bytes=_MEMORY_BYTES, fuel=1 if fuel else None)
    module = SealedFile(wasm)
    try:
        with CancelScope(shield=True):
            process, pipes = await to_thread.run_sync(partial(spawn, command, orders, module))
    finally:
        module.close()
    try:
        with anyio.move_on_after(COMPILE_S) as limit:
            content = await _read_all(pipes.stdout, _MOST_BYTES)
            report = await _read_all(pipes.reports, 1 << 14)
    finally:
        process.kill()
        with CancelScope(shield=True):
            await to_thread.run_sync(process.wait)
        pipes.close()
    if limit.cancelled_caught:
        raise PluginError(f"compiling the module takes longer than {COMPILE_S:g} s")
    if report or not content:
        why = harmless(read_report(report.splitlines()[0]).detail) if report else "the compiler's worker died"
        raise PluginError(f"the module cannot be compiled: {why}", hint="build it again for wasm32-wasi")
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
