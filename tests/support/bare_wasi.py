"""A plain WASI runtime with nothing of ourcli in it: wasmtime's own API, as its documentation shows it.

python -m tests.support.bare_wasi compile MODULE TARGET
python -m tests.support.bare_wasi run COMPILED [FOLDER]...
python -m tests.support.bare_wasi MODULE
"""

import sys
import tempfile
from pathlib import Path

from wasmtime import Config, Engine, ExitTrap, Linker, Module, Store, WasiConfig
from wasmtime import component as components

RUN = "wasi:cli/run@0.2.0"
COMPONENT = ".component"


def engine() -> Engine:
    """Return an engine that compiles quickly, which is all that tests want of it."""
    config = Config()
    config.cranelift_opt_level = "none"
    return Engine(config)


def is_component(module: bytes) -> bool:
    """Say whether it is a component (WASI 0.2) and no core module (preview 1)."""
    return module[4:8] != b"\1\0\0\0"


def compile_to(module: Path, target: Path) -> None:
    """Write native code for a module, with a word in the name for what it was."""
    content = module.read_bytes()
    kind = components.Component if is_component(content) else Module
    target.write_bytes(kind(engine(), content).serialize())


def run(compiled: Path, folders: list[str]) -> None:
    """Run a program on this process's own streams; it sees the folders under their own paths."""
    world = WasiConfig()
    world.argv = ["plugin"]
    world.inherit_stdin()
    world.inherit_stdout()
    world.inherit_stderr()
    for folder in folders:
        world.preopen_dir(folder, folder)
    here = engine()
    store = Store(here)
    store.set_wasi(world)
    if COMPONENT in compiled.suffixes:
        _run_component(here, store, compiled)
    else:
        linker = Linker(here)
        linker.define_wasi()
        start = linker.instantiate(store, Module.deserialize_file(here, str(compiled))).exports(store)["_start"]
        assert callable(start)
        try:
            start(store)
        except ExitTrap as end:
            sys.exit(end.code)


def _run_component(here: Engine, store: Store, compiled: Path) -> None:
    linker = components.Linker(here)
    linker.add_wasip2()
    instance = linker.instantiate(store, components.Component.deserialize_file(here, str(compiled)))
    exported = instance.get_export_index(store, RUN)
    function = instance.get_export_index(store, "run", exported)
    assert function is not None
    program = instance.get_func(store, function)
    assert program is not None
    program(store)


def run_module(module: Path) -> None:
    """Compile and run a program."""
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / f"it{COMPONENT if is_component(module.read_bytes()) else '.core'}.cwasm"
        compile_to(module, compiled)
        run(compiled, [])


if __name__ == "__main__":
    if sys.argv[1] == "compile":
        compile_to(Path(sys.argv[2]), Path(sys.argv[3]))
    elif sys.argv[1] == "run":
        run(Path(sys.argv[2]), sys.argv[3:])
    else:
        run_module(Path(sys.argv[1]))
