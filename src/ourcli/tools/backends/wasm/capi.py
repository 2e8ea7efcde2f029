"""The part of wasmtime's C API that a worker needs, bound by hand.

The package's own layer binds some 1,200 functions and imports half of the standard library, which takes longer than
everything else a worker does before its first answer. Tests hold every declaration here against the package's own.

Source: `wasmtime.h`, `wasi.h` and `wasmtime/component/*.h` of wasmtime 50.
"""

import ctypes
import os
import sys

_POINTER = ctypes.c_void_p
_TEXT = ctypes.c_char_p
_SIZE = ctypes.c_size_t
_BOOL = ctypes.c_bool
EXTERN_FUNCTION = 0
VALUE_RESULT = 19
SETTING_TYPES = {"max_wasm_stack": _SIZE}
"""The engine's settings that are no truth values."""


class Bytes(ctypes.Structure):
    """`wasm_byte_vec_t`."""

    _fields_ = (("size", _SIZE), ("data", _POINTER))


class Function(ctypes.Structure):
    """`wasmtime_func_t`."""

    _fields_ = (("store", ctypes.c_uint64), ("private", _POINTER))


class Extern(ctypes.Structure):
    """`wasmtime_extern_t`, of which only functions are looked at."""

    _fields_ = (("kind", ctypes.c_uint8), ("function", Function), ("more", ctypes.c_uint64))


class Instance(ctypes.Structure):
    """`wasmtime_instance_t` and `wasmtime_component_instance_t`."""

    _fields_ = (("store", ctypes.c_uint64), ("private", ctypes.c_uint64))


class ComponentFunction(ctypes.Structure):
    """`wasmtime_component_func_t`."""

    _fields_ = (("store", ctypes.c_uint64), ("private", ctypes.c_uint64 * 3))


class Value(ctypes.Structure):
    """`wasmtime_component_val_t`, of which only results are looked at."""

    _fields_ = (("kind", ctypes.c_uint8), ("is_ok", ctypes.c_uint64), ("more", ctypes.c_uint64 * 2))


FUNCTIONS = {
    "wasm_config_new": (_POINTER,),
    "wasm_engine_new_with_config": (_POINTER, _POINTER),
    "wasmtime_engine_increment_epoch": (None, _POINTER),
    "wasmtime_module_deserialize": (_POINTER, _POINTER, _TEXT, _SIZE, _POINTER),
    "wasmtime_component_deserialize": (_POINTER, _POINTER, _TEXT, _SIZE, _POINTER),
    "wasmtime_linker_new": (_POINTER, _POINTER),
    "wasmtime_linker_define_wasi": (_POINTER, _POINTER),
    "wasmtime_linker_instantiate_pre": (_POINTER, _POINTER, _POINTER, _POINTER),
    "wasmtime_instance_pre_instantiate": (_POINTER, _POINTER, _POINTER, _POINTER, _POINTER),
    "wasmtime_instance_export_get": (_BOOL, _POINTER, _POINTER, _TEXT, _SIZE, _POINTER),
    "wasmtime_func_call": (_POINTER, _POINTER, _POINTER, _POINTER, _SIZE, _POINTER, _SIZE, _POINTER),
    "wasmtime_component_linker_new": (_POINTER, _POINTER),
    "wasmtime_component_linker_add_wasip2": (_POINTER, _POINTER),
    "wasmtime_component_linker_instantiate": (_POINTER, _POINTER, _POINTER, _POINTER, _POINTER),
    "wasmtime_component_instance_get_export_index": (_POINTER, _POINTER, _POINTER, _POINTER, _TEXT, _SIZE),
    "wasmtime_component_export_index_delete": (None, _POINTER),
    "wasmtime_component_instance_get_func": (_BOOL, _POINTER, _POINTER, _POINTER, _POINTER),
    "wasmtime_component_func_call": (_POINTER, _POINTER, _POINTER, _POINTER, _SIZE, _POINTER, _SIZE),
    "wasmtime_store_new": (_POINTER, _POINTER, _POINTER, _POINTER),
    "wasmtime_store_context": (_POINTER, _POINTER),
    "wasmtime_store_delete": (None, _POINTER),
    "wasmtime_store_limiter": (None, _POINTER, *[ctypes.c_int64] * 5),
    "wasmtime_context_set_fuel": (_POINTER, _POINTER, ctypes.c_uint64),
    "wasmtime_context_set_epoch_deadline": (None, _POINTER, ctypes.c_uint64),
    "wasmtime_context_set_wasi": (_POINTER, _POINTER, _POINTER),
    "wasi_config_new": (_POINTER,),
    "wasi_config_set_argv": (_BOOL, _POINTER, _SIZE, _POINTER),
    "wasi_config_set_env": (_BOOL, _POINTER, _SIZE, _POINTER, _POINTER),
    "wasi_config_inherit_stdin": (None, _POINTER),
    "wasi_config_inherit_stdout": (None, _POINTER),
    "wasi_config_inherit_stderr": (None, _POINTER),
    "wasi_config_set_stdin_bytes": (None, _POINTER, _POINTER),
    "wasi_config_set_stdin_file": (_BOOL, _POINTER, _TEXT),
    "wasi_config_preopen_dir": (_BOOL, _POINTER, _TEXT, _TEXT, _BOOL),
    "wasm_byte_vec_new": (None, _POINTER, _SIZE, _TEXT),
    "wasm_byte_vec_delete": (None, _POINTER),
    "wasm_trap_message": (None, _POINTER, _POINTER),
    "wasm_trap_delete": (None, _POINTER),
    "wasmtime_error_message": (None, _POINTER, _POINTER),
    "wasmtime_error_exit_status": (_BOOL, _POINTER, _POINTER),
    "wasmtime_error_delete": (None, _POINTER),
}
"""Each function's result and arguments; what is no number or truth value is a pointer."""


def load(folder: str) -> ctypes.CDLL:
    """Load the engine's library and declare what is used of it.

    Args:
        folder: In which the package `wasmtime` stands.

    Raises:
        OSError: It is not there for this machine.
    """
    library = ctypes.CDLL(library_path(folder))
    for name, (result, *arguments) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def library_path(folder: str) -> str:
    """Return where the package keeps its library for this machine."""
    machine = {"arm64": "aarch64", "AMD64": "x86_64"}.get(os.uname().machine, os.uname().machine)
    name = "_libwasmtime.dylib" if sys.platform == "darwin" else "_libwasmtime.so"
    return f"{folder}/wasmtime/{sys.platform}-{machine}/{name}"


class EngineError(Exception):
    """The engine refused or stopped something; its words are for people.

    Args:
        message: The engine's words.
        code: The exit code, when the guest left by itself.
    """

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.message, self.code = message, code


def check(library: ctypes.CDLL, error: int | None) -> None:
    """Do nothing without an error.

    Raises:
        EngineError: There is one, which is freed.
    """
    if not error:
        return
    code, words = ctypes.c_int(0), Bytes()
    left = bool(library.wasmtime_error_exit_status(error, ctypes.byref(code)))
    library.wasmtime_error_message(error, ctypes.byref(words))
    library.wasmtime_error_delete(error)
    raise EngineError(_text(library, words), code.value if left else None)


def check_trap(library: ctypes.CDLL, trap: ctypes.c_void_p) -> None:
    """Do nothing without a trap.

    Raises:
        EngineError: There is one, which is freed.
    """
    if trap.value:
        words = Bytes()
        library.wasm_trap_message(trap, ctypes.byref(words))
        library.wasm_trap_delete(trap)
        raise EngineError(_text(library, words))


def _text(library: ctypes.CDLL, words: Bytes) -> str:
    content = ctypes.string_at(words.data, words.size) if words.size else b""
    library.wasm_byte_vec_delete(ctypes.byref(words))
    return content.rstrip(b"\0").decode("utf-8", "replace")
