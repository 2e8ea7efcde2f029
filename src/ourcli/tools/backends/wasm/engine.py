"""The engine's settings: one place, since compiled code is valid for exactly these."""

from wasmtime import Config, Engine

from ourcli.tools.backends.wasm.orders import STACK_BYTES


def new_engine(*, fuel: bool) -> Engine:
    """Return an engine whose guests can be interrupted, and counted where `fuel` says so."""
    config = Config()
    config.epoch_interruption = True
    config.consume_fuel = fuel
    config.max_wasm_stack = STACK_BYTES
    config.wasm_threads = False
    config.shared_memory = False
    config.wasm_memory64 = False
    return Engine(config)
