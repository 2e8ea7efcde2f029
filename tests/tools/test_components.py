"""Components of WASI 0.2: held by the same limits, rights and guards as modules."""

import json
from pathlib import Path

import pytest
from wasmtime import wat2wasm

from ourcli.common.errors import OurcliError, PluginError, ToolCrashedError, ToolError, ToolTimeoutError
from ourcli.tools.backends.wasm.compiled import CompiledCache
from ourcli.tools.backends.wasm.host import WasmHost
from ourcli.tools.data import Json
from ourcli.tools.plugins import Plugin, load_plugin
from ourcli.tools.ports import ToolContext
from tests.promises import promise

pytestmark = pytest.mark.anyio
SOURCE = (Path(__file__).parent / "guests" / "component.wat").read_text("utf-8")
REFUSED = "(local.set $said (i32.const 2048))"
GROW = f"(if (i32.eq (memory.grow (i32.const 600)) (i32.const -1)) (then {REFUSED}))"
SOCKET = f"(call $socket (i32.const 0) (i32.const 32)) (if (i32.load8_u (i32.const 32)) (then {REFUSED}))"
LOOP = "(loop $forever (br $forever))"
HTTP = '(import "wasi:http/outgoing-handler@0.2.0" (instance (export "x" (func))))'


def component(folder: Path, body: str = "", *, more: str = "", run: str = "wasi:cli/run@0.2.3", **top: Json) -> Plugin:
    """Write a plugin whose component does `body` for each question."""
    folder.mkdir()
    source = SOURCE.replace("BODY\n", body + "\n").replace(";; MORE", more).replace("wasi:cli/run@0.2.3", run)
    (folder / "guest.wasm").write_bytes(wat2wasm(source))
    fields = [{"name": "said", "type": "string"}]
    manifest = {"name": "guest", "description": "", "inputs": [], "outputs": fields, **top}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return load_plugin(folder)


async def said(host: WasmHost, plugin: Plugin) -> Json:
    (tool,) = host.tools(plugin)
    return (await tool.invoke({}, ToolContext()))["said"]


@promise("tools.wasm.components")
@pytest.mark.parametrize("mode", ["persistent", "fresh"])
async def test_a_component_answers_again_and_again(host: WasmHost, place: Path, mode: str) -> None:
    plugin = component(place / "guest", mode=mode)

    assert [await said(host, plugin) for _ in range(3)] == ["well 12"] * 3


@promise("tools.wasm.components")
@pytest.mark.parametrize("body", [GROW, SOCKET])
async def test_memory_beyond_the_limit_and_sockets_are_refused_to_a_component(
    host: WasmHost, place: Path, body: str
) -> None:
    plugin = component(place / "guest", body, limits={"memory_mib": 16})

    assert await said(host, plugin) == "refused"


@promise("tools.wasm.components")
async def test_memory_within_the_limit_is_given_to_a_component(host: WasmHost, place: Path) -> None:
    assert await said(host, component(place / "guest", GROW)) == "well 12"


@promise("tools.wasm.components")
@pytest.mark.parametrize(
    ("body", "limits", "kind", "words"),
    [
        (LOOP, {"timeout_ms": 300}, ToolTimeoutError, "took longer than 0.3 s"),
        (LOOP, {"fuel": 1_000_000}, ToolError, "fuel"),
        ("(unreachable)", {}, ToolCrashedError, "unreachable"),
        ("(return (i32.const 1))", {}, ToolCrashedError, "exit code 1"),
    ],
)
@pytest.mark.parametrize("mode", ["persistent", "fresh"])
async def test_a_component_that_misbehaves_is_stopped_and_named(
    host: WasmHost, place: Path, mode: str, body: str, limits: dict[str, Json], kind: type[OurcliError], words: str
) -> None:
    plugin = component(place / "guest", body, mode=mode, limits=limits)

    with pytest.raises(kind, match=words):
        await said(host, plugin)


@promise("tools.wasm.components")
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"more": HTTP}, "the component cannot be compiled: .*wasi:http/outgoing-handler@0.2.0"),
        ({"run": "me:own/run@0.2.3"}, "exports no wasi:cli/run"),
        ({"run": "wasi:cli/run@0.3.0"}, "exports no wasi:cli/run"),
    ],
)
async def test_a_component_that_wants_what_is_not_there_is_refused_by_name(
    host: WasmHost, place: Path, given: dict[str, str], words: str
) -> None:
    plugin = component(place / "guest", **given)

    with pytest.raises(PluginError, match=words):
        await host.compile(plugin)


@promise("tools.wasm.components")
async def test_the_compiled_code_of_a_component_is_kept_apart(
    host: WasmHost, place: Path, compiled_modules: CompiledCache
) -> None:
    plugin = component(place / "guest")
    await said(host, plugin)

    assert compiled_modules.find(plugin.module_sha256, "component plain") is not None
    assert compiled_modules.find(plugin.module_sha256, "module plain") is None
