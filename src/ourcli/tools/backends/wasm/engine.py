"""The engine's settings: one place, since compiled code is valid for exactly these."""

from ourcli.tools.backends.wasm.orders import COMPONENT, STACK_BYTES


def settings(kind: str, *, fuel: bool) -> dict[str, bool | int]:
    """Return the settings of an engine whose guests can be interrupted, and counted where `fuel` says so.

    The keys are those of wasmtime's configuration, in its package for Python (`Config.KEY`) as in its C API
    (`wasmtime_config_KEY_set`).
    """
    return {
        "epoch_interruption": True,
        "consume_fuel": fuel,
        "max_wasm_stack": STACK_BYTES,
        "wasm_threads": False,
        "shared_memory": False,
        "wasm_memory64": False,
        "wasm_multi_memory": kind == COMPONENT,  # the engine's own adapters between a component's parts need it
    }
