"""The inside of a worker that compiles: tells what the code is, looks at what it wants, makes native code of it."""

from typing import Final

from wasmtime import Config, Engine, FuncType, Module, WasmtimeError
from wasmtime.component import Component

from ourcli.tools.backends.wasm.engine import settings
from ourcli.tools.backends.wasm.orders import COMPONENT

_WASI: Final = "wasi_snapshot_preview1"
_WASI_2: Final = ("wasi:cli/", "wasi:io/", "wasi:clocks/", "wasi:random/", "wasi:filesystem/", "wasi:sockets/")
_MOST_NAMED: Final = 5


def translated(wasm: bytes, kind: str, *, fuel: bool) -> bytes:
    """Return native code for a module or component that wants nothing but WASI and has a start.

    Raises:
        ValueError: It is not valid, or is none that can be run here; the message says why.
    """
    config = Config()
    for name, value in settings(kind, fuel=fuel).items():
        setattr(config, name, value)
    try:
        return (_component if kind == COMPONENT else _module)(Engine(config), wasm)
    except WasmtimeError as exc:
        raise ValueError(" ".join(str(exc).split())) from exc


def _module(engine: Engine, wasm: bytes) -> bytes:
    module = Module(engine, wasm)
    _refuse([f"{one.module}.{one.name}" for one in module.imports if one.module != _WASI])
    if not any(one.name == "_start" and isinstance(one.type, FuncType) for one in module.exports):
        raise ValueError("it exports no function _start: build a command, not a library")
    return bytes(module.serialize())


def _component(engine: Engine, wasm: bytes) -> bytes:
    component = Component(engine, wasm)
    imports, exports = list(component.type.imports(engine)), list(component.type.exports(engine))
    _refuse([name for name in imports if not name.startswith(_WASI_2) or "@0.2." not in name])
    if not any(name.startswith("wasi:cli/run@0.2.") for name in exports):
        raise ValueError("the component exports no wasi:cli/run of WASI 0.2: build a command, not a library")
    return bytes(component.serialize())


def _refuse(foreign: list[str]) -> None:
    if foreign:
        named = ", ".join(foreign[:_MOST_NAMED]) + (", ..." if len(foreign) > _MOST_NAMED else "")
        raise ValueError(f"it imports what is not there: {named}")
