"""The worker's own declarations of the engine's C API, held against the engine's package."""

import ctypes

import pytest
from wasmtime import _bindings as package
from wasmtime import _ffi

from ourcli.app.worker import worker_command
from ourcli.tools.backends.wasm import capi
from ourcli.tools.backends.wasm.engine import settings
from ourcli.tools.backends.wasm.orders import COMPONENT
from tests.promises import promise


def kind_of(declared: object) -> object:
    """Return a type as it goes through a call: pointers are all one."""
    if declared in (None, ctypes.c_bool, ctypes.c_void_p, ctypes.c_char_p) or not isinstance(declared, type):
        return ctypes.c_void_p if declared is ctypes.c_char_p else declared
    is_number = issubclass(declared, ctypes._SimpleCData)
    return (ctypes.sizeof(declared), declared(-1).value) if is_number else ctypes.c_void_p


@promise("tools.wasm.bindings")
@pytest.mark.parametrize("name", capi.FUNCTIONS)
def test_each_function_is_declared_as_the_package_declares_it(name: str) -> None:
    theirs = getattr(package, f"_{name}")

    assert [kind_of(one) for one in capi.FUNCTIONS[name]] == [
        kind_of(one) for one in (theirs.restype, *theirs.argtypes)
    ]


@promise("tools.wasm.bindings")
@pytest.mark.parametrize("name", settings(COMPONENT, fuel=True))
def test_each_setting_is_of_the_type_that_the_package_declares(name: str) -> None:
    theirs = getattr(package, f"_wasmtime_config_{name}_set").argtypes[1]

    assert kind_of(theirs) == kind_of(capi.SETTING_TYPES.get(name, ctypes.c_bool))


@promise("tools.wasm.bindings")
def test_structures_have_the_sizes_and_places_of_the_package() -> None:
    pairs = {
        capi.Bytes: package.wasm_byte_vec_t,
        capi.Function: package.wasmtime_func,
        capi.Extern: package.wasmtime_extern,
        capi.Instance: package.wasmtime_instance,
        capi.ComponentFunction: package.wasmtime_component_func,
        capi.Value: package.wasmtime_component_val,
    }

    assert [ctypes.sizeof(ours) for ours in pairs] == [ctypes.sizeof(theirs) for theirs in pairs.values()]
    assert capi.Extern.function.offset == package.wasmtime_extern.of.offset
    assert capi.Value.is_ok.offset == package.wasmtime_component_val.of.offset
    assert ctypes.sizeof(capi.Instance) == ctypes.sizeof(package.wasmtime_component_instance)


@promise("tools.wasm.bindings")
def test_the_library_is_where_the_package_loads_it_from() -> None:
    folder = worker_command()[-1]

    assert capi.library_path(folder) == _ffi.dll._name
