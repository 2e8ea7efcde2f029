"""The inside of a worker: an engine, a module, instances of it. Runs in a process of its own, already held in."""

import ctypes
from typing import Final

from wasmtime import Engine, ExitTrap, FuncType, Linker, Module, Store, Trap, TrapCode, WasiConfig, WasmtimeError
from wasmtime import _ffi as ffi

from ourcli.tools.backends.wasm.orders import ENDED, FAILED, TABLE_ELEMENTS, Orders, Report

_WORDS: Final = {
    TrapCode.INTERRUPT: "interrupt",
    TrapCode.OUT_OF_FUEL: "out_of_fuel",
    TrapCode.STACK_OVERFLOW: "stack_overflow",
}
_WASI: Final = "wasi_snapshot_preview1"
_MOST_INSTANCES: Final = 64
_MOST_MEMORIES: Final = 4
_MOST_TABLES: Final = 8


class Guest:
    """A module that can be run, again and again.

    Args:
        engine: What compiled it.
        compiled: Native code that `Module.serialize` gave, by this engine's settings.
        orders: Limits and grants.
    """

    def __init__(self, engine: Engine, compiled: bytes, orders: Orders) -> None:
        self._engine, self._orders = engine, orders
        self._module = Module.deserialize(engine, compiled)
        self._linker = Linker(engine)
        self._linker.define_wasi()

    def run(self, stdin: bytes | None) -> Report:
        """Run one instance from its start to its end; return how it ended.

        Args:
            stdin: What it can read; None gives it the worker's own stdin.
        """
        store = Store(self._engine)
        store.set_limits(self._orders.memory_bytes, TABLE_ELEMENTS, _MOST_INSTANCES, _MOST_TABLES, _MOST_MEMORIES)
        if self._orders.fuel is not None:
            store.set_fuel(self._orders.fuel)
        store.set_epoch_deadline(1)
        try:
            store.set_wasi(self._world(stdin))
            start = self._linker.instantiate(store, self._module).exports(store).get("_start")
            if not callable(start):
                return Report(what=FAILED, why="no_start", detail="the module exports no function _start")
            start(store)
        except ExitTrap as end:
            return Report(what=ENDED, why="exit", code=end.code)
        except Trap as trap:
            word = _WORDS.get(trap.trap_code, "trap") if trap.trap_code else "trap"
            return Report(what=ENDED, why=word, detail=_first_line(trap.message))
        except WasmtimeError as fault:
            return Report(what=FAILED, why="instance", detail=_first_line(str(fault)))
        finally:
            store.close()
        return Report(what=ENDED, why="exit")

    def _world(self, stdin: bytes | None) -> WasiConfig:
        world = WasiConfig()
        world.argv = ["plugin"]
        world.env = self._orders.environment
        if stdin is None:
            world.inherit_stdin()
        else:
            _give_stdin(world, stdin)
        world.inherit_stdout()
        world.inherit_stderr()
        for folder in self._orders.preopens:
            world.preopen_dir(folder.path, folder.path, folder.writable)
        return world


def _give_stdin(world: WasiConfig, content: bytes) -> None:
    """Make `content` all there is to read: the library's own Python layer has files and inheritance only."""
    vector = ffi.wasm_byte_vec_t()
    ffi.wasm_byte_vec_new(
        ctypes.byref(vector), len(content), ctypes.cast(ctypes.c_char_p(content), ctypes.POINTER(ctypes.c_ubyte))
    )
    ffi.wasi_config_set_stdin_bytes(world.ptr(), ctypes.byref(vector))


def compile_module(engine: Engine, wasm: bytes) -> bytes:
    """Return native code for a module that wants nothing but WASI and has a start.

    Raises:
        WasmtimeError: It is no valid module, or is none that can be run here.
    """
    module = Module(engine, wasm)
    foreign = [f"{one.module}.{one.name}" for one in module.imports if one.module != _WASI]
    if foreign:
        raise WasmtimeError(f"it imports what is not there: {', '.join(foreign[:5])}")
    if not any(one.name == "_start" and isinstance(one.type, FuncType) for one in module.exports):
        raise WasmtimeError("it exports no function _start: build a command, not a library")
    return bytes(module.serialize())


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[:1] + [line for line in lines[1:] if line[:2] in ("0:", "1:")][:2])[:400]
