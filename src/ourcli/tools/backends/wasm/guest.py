"""The inside of a worker: an engine, a module or component, instances of it. In a process of its own, held in.

A **module** is a command of WASI preview 1: it imports nothing but `wasi_snapshot_preview1` and exports `_start`.

A **component** exports `wasi:cli/run` of WASI 0.2 (any 0.2.x; a `wasi:cli/command`), as

    package me:plugin;  world plugin { export wasi:cli/run@0.2.0; }

says, and may import `wasi:cli`, `wasi:io`, `wasi:clocks`, `wasi:random`, `wasi:filesystem` and `wasi:sockets`; of the
last every address is refused and no name is looked up. `wasi:http` is not there: fetching is the host's (`host/fetch`).
`run` reads lines of JSON-RPC from stdin and writes its answers to stdout, flushed line by line, until stdin ends.
"""

import ctypes

from ourcli.tools.backends.wasm.capi import (
    EXTERN_FUNCTION,
    SETTING_TYPES,
    VALUE_RESULT,
    Bytes,
    ComponentFunction,
    EngineError,
    Extern,
    Instance,
    Value,
    check,
    check_trap,
)
from ourcli.tools.backends.wasm.engine import settings
from ourcli.tools.backends.wasm.orders import COMPONENT, ENDED, FAILED, MODULE, TABLE_ELEMENTS, Orders, Report

_MOST_INSTANCES = 64
_MOST_MEMORIES = {MODULE: 1, COMPONENT: 2}
"""Each of the size that is allowed; a component that was put together of two has two."""
_MOST_TABLES = 8
_RUN = tuple(f"wasi:cli/run@0.2.{patch}" for patch in range(32))
_WORDS = {
    "wasm trap: interrupt": "interrupt",
    "wasm trap: all fuel consumed by WebAssembly": "out_of_fuel",
    "all fuel consumed by WebAssembly": "out_of_fuel",
    "wasm trap: call stack exhausted": "stack_overflow",
}


class NotAGuestError(Exception):
    """The code was loaded and has no start."""


class Engine:
    """An engine of our settings, and the linker of one kind of guest.

    Args:
        library: Wasmtime.
        kind: Of the guests: `module` or `component`.
        fuel: Instructions are counted.
    """

    def __init__(self, library: ctypes.CDLL, kind: str, *, fuel: bool) -> None:
        self.library = library
        config = library.wasm_config_new()
        for name, value in settings(kind, fuel=fuel).items():
            setter = getattr(library, f"wasmtime_config_{name}_set")
            setter.restype, setter.argtypes = None, (ctypes.c_void_p, SETTING_TYPES.get(name, ctypes.c_bool))
            setter(config, value)
        self.pointer = library.wasm_engine_new_with_config(config)

    def interrupt(self) -> None:
        """End what runs, soon."""
        self.library.wasmtime_engine_increment_epoch(self.pointer)


class Guest:
    """Code that can be run, again and again.

    Args:
        engine: What runs it.
        orders: Limits and grants.
    """

    def __init__(self, engine: Engine, orders: Orders) -> None:
        self._library, self._engine, self._orders = engine.library, engine.pointer, orders

    def run(self, stdin: bytes | str | None) -> Report:
        """Run one instance from its start to its end; return how it ended.

        Args:
            stdin: Bytes that are all it can read, or the path of a file; None gives it the worker's own stdin.
        """
        library, memories = self._library, _MOST_MEMORIES[self._orders.kind]
        store = library.wasmtime_store_new(self._engine, None, None)
        try:
            library.wasmtime_store_limiter(
                store, self._orders.memory_bytes, TABLE_ELEMENTS, _MOST_INSTANCES, _MOST_TABLES, memories
            )
            context = library.wasmtime_store_context(store)
            if self._orders.fuel is not None:
                check(library, library.wasmtime_context_set_fuel(context, self._orders.fuel))
            library.wasmtime_context_set_epoch_deadline(context, 1)
            check(library, library.wasmtime_context_set_wasi(context, self._world(stdin)))
            return self._called(context)
        except NotAGuestError as fault:
            return Report(what=FAILED, why="no_start", detail=str(fault))
        except EngineError as fault:
            return Report(what=FAILED, why="instance", detail=_first_line(fault.message))
        finally:
            library.wasmtime_store_delete(store)

    def _called(self, context: int) -> Report:
        try:
            code = self._run(context)
        except EngineError as end:
            if end.code is not None:
                return Report(what=ENDED, why="exit", code=end.code)
            if "wasm trap:" in end.message or "error while executing" in end.message:
                return Report(what=ENDED, why=_word(end.message), detail=_first_line(end.message))
            raise
        return Report(what=ENDED, why="exit", code=code)

    def _run(self, context: int) -> int:
        """Make an instance, start it and return its exit code."""
        raise NotImplementedError

    def _world(self, stdin: bytes | str | None) -> int:
        library, orders = self._library, self._orders
        world: int = library.wasi_config_new()
        library.wasi_config_set_argv(world, len(orders.arguments), _texts(orders.arguments))
        names, values = [name for name, _ in orders.environment], [value for _, value in orders.environment]
        library.wasi_config_set_env(world, len(names), _texts(names), _texts(values))
        library.wasi_config_inherit_stdout(world)
        library.wasi_config_inherit_stderr(world)
        if stdin is None:
            library.wasi_config_inherit_stdin(world)
        elif isinstance(stdin, bytes):
            content = Bytes()
            library.wasm_byte_vec_new(ctypes.byref(content), len(stdin), stdin)
            library.wasi_config_set_stdin_bytes(world, ctypes.byref(content))
        elif not library.wasi_config_set_stdin_file(world, stdin.encode()):
            raise EngineError("its input cannot be opened")
        for folder in orders.preopens:
            if not library.wasi_config_preopen_dir(world, folder.path.encode(), folder.name.encode(), folder.writable):
                raise EngineError(f"the granted folder {folder.path!r} cannot be opened")
        return world


class ModuleGuest(Guest):
    """A command of WASI preview 1.

    Args:
        engine: What compiled it.
        compiled: Native code of this engine's settings.
        orders: Limits and grants.
    """

    def __init__(self, engine: Engine, compiled: bytes, orders: Orders) -> None:
        super().__init__(engine, orders)
        library, module, self._ready = self._library, ctypes.c_void_p(), ctypes.c_void_p()
        load = library.wasmtime_module_deserialize
        check(library, load(self._engine, compiled, len(compiled), ctypes.byref(module)))
        linker = library.wasmtime_linker_new(self._engine)
        check(library, library.wasmtime_linker_define_wasi(linker))
        check(library, library.wasmtime_linker_instantiate_pre(linker, module, ctypes.byref(self._ready)))

    def _run(self, context: int) -> int:
        library, instance, trap = self._library, Instance(), ctypes.c_void_p()
        make = library.wasmtime_instance_pre_instantiate
        check(library, make(self._ready, context, ctypes.byref(instance), ctypes.byref(trap)))
        check_trap(library, trap)
        start, name = Extern(), b"_start"
        found = library.wasmtime_instance_export_get(
            context, ctypes.byref(instance), name, len(name), ctypes.byref(start)
        )
        if not found or start.kind != EXTERN_FUNCTION:
            raise NotAGuestError("the module exports no function _start")
        call = library.wasmtime_func_call
        check(library, call(context, ctypes.byref(start.function), None, 0, None, 0, ctypes.byref(trap)))
        check_trap(library, trap)
        return 0


class ComponentGuest(Guest):
    """A command of WASI 0.2.

    Args:
        engine: What compiled it.
        compiled: Native code of this engine's settings.
        orders: Limits and grants.
    """

    def __init__(self, engine: Engine, compiled: bytes, orders: Orders) -> None:
        super().__init__(engine, orders)
        library, self._component = self._library, ctypes.c_void_p()
        load = library.wasmtime_component_deserialize
        check(library, load(self._engine, compiled, len(compiled), ctypes.byref(self._component)))
        self._linker = library.wasmtime_component_linker_new(self._engine)
        check(library, library.wasmtime_component_linker_add_wasip2(self._linker))

    def _run(self, context: int) -> int:
        library, instance = self._library, Instance()
        make = library.wasmtime_component_linker_instantiate
        check(library, make(self._linker, context, self._component, ctypes.byref(instance)))
        run, answer = self._start(context, instance), Value()
        call = library.wasmtime_component_func_call
        check(library, call(ctypes.byref(run), context, None, 0, ctypes.byref(answer), 1))
        return 0 if answer.kind == VALUE_RESULT and answer.is_ok & 0xFF else 1

    def _start(self, context: int, instance: Instance) -> ComponentFunction:
        library, run = self._library, ComponentFunction()
        outer = next(filter(None, (self._index(context, instance, None, name) for name in _RUN)), None)
        inner = self._index(context, instance, outer, "run") if outer else None
        found = inner and library.wasmtime_component_instance_get_func(
            ctypes.byref(instance), context, inner, ctypes.byref(run)
        )
        for index in filter(None, (inner, outer)):
            library.wasmtime_component_export_index_delete(index)
        if not found:
            raise NotAGuestError("the component exports no wasi:cli/run of WASI 0.2")
        return run

    def _index(self, context: int, instance: Instance, within: int | None, name: str) -> int | None:
        find, word = self._library.wasmtime_component_instance_get_export_index, name.encode()
        index: int | None = find(ctypes.byref(instance), context, within, word, len(word))
        return index


def _texts(words: "tuple[str, ...] | list[str]") -> "ctypes.Array[ctypes.c_char_p]":
    return (ctypes.c_char_p * len(words))(*[word.encode() for word in words])


def _causes(message: str) -> list[str]:
    """Return the lines of an engine's message without the numbers before them."""
    lines = [line.strip() for line in message.splitlines()]
    return [line.partition(": ")[2] if line.partition(": ")[0].isdigit() else line for line in lines if line]


def _word(message: str) -> str:
    """Return in a word why the engine stopped the guest; names that the guest chose stand in other lines."""
    return next((_WORDS[cause] for cause in _causes(message) if cause in _WORDS), "trap")


def _first_line(message: str) -> str:
    """Return what the engine says in one line: a trap by its name, anything else by its first words."""
    causes = _causes(message)
    named = next((cause.removeprefix("wasm trap: ") for cause in causes if cause.startswith("wasm trap: ")), None)
    return (named or "; ".join(causes[:2]))[:400]
