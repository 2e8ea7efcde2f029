"""Plugins that are not what they say: swapped, doubled, with a lying manifest."""

import json
import os
import shutil
from pathlib import Path

import pytest

from ourcli.app.worker import worker_command
from ourcli.common.errors import PluginError, ToolClashError, ToolOutputError
from ourcli.testing.tools import FakeTool, a_spec
from ourcli.tools.backends.wasm.compiled import CompiledCache
from ourcli.tools.backends.wasm.host import WasmHost
from ourcli.tools.backends.wasm.orders import SETTINGS
from ourcli.tools.data import Json
from ourcli.tools.plugins import discover, load_plugin
from ourcli.tools.ports import ToolContext
from ourcli.tools.registry import Registry
from ourcli.tools.spec import Origin, OriginKind
from tests.promises import promise
from tests.support.arena import GUESTS, Arena
from tests.support.guests import Workshop, full_manifest

pytestmark = pytest.mark.anyio
PATIENT: dict[str, Json] = {"timeout_ms": 20_000}
ASKED: dict[str, Json] = {"do": "who", "path": ""}


@promise("tools.attacks.identity")
@promise("tools.wasm.no-swap")
@pytest.mark.parametrize("swap", ["other-bytes", "other-file", "link", "fifo", "gone", "folder"])
async def test_a_module_that_was_swapped_between_check_and_run_is_not_run(
    arena: Arena, workshop: Workshop, place: Path, swap: str
) -> None:
    plugin = workshop.plugin(place / "evil", GUESTS / "wire.c", full_manifest("evil", mode="fresh", fuel=10**9))
    other = workshop.module(GUESTS / "computing.c")
    if swap == "other-bytes":
        plugin.module.write_bytes(other.read_bytes())
    else:
        plugin.module.unlink()
    if swap == "other-file":
        shutil.copyfile(other, plugin.module)
    elif swap == "link":
        plugin.module.symlink_to(other)
    elif swap == "fifo":
        os.mkfifo(plugin.module)
    elif swap == "folder":
        plugin.module.mkdir()

    outcome = await arena.call(plugin, ASKED)

    assert type(outcome.error) is PluginError
    assert str(plugin.module) in outcome.error.message
    assert outcome.error.hint
    await arena.live_on()


@promise("tools.attacks.identity")
async def test_a_manifest_that_was_swapped_after_it_was_read_changes_nothing(
    arena: Arena, workshop: Workshop, place: Path
) -> None:
    plugin = workshop.plugin(place / "evil", GUESTS / "files.c", full_manifest("evil", timeout_ms=20_000))
    greedy = full_manifest("evil", capabilities=[f"fs:read={arena.outside}"])
    (plugin.folder / "manifest.json").write_text(json.dumps(greedy))

    rights = [f"fs:read={arena.outside}"]
    outcome = await arena.call(plugin, {"do": "read", "path": str(arena.outside / "secret.txt")}, rights)

    assert "secret" not in str(outcome.said)
    assert load_plugin(plugin.folder).origin.sha256 != plugin.origin.sha256
    await arena.live_on()


@promise("tools.attacks.identity")
@promise("tools.wasm.compiled-once")
@pytest.mark.parametrize("digest_too", [False, True])
async def test_compiled_code_of_another_plugin_is_not_run_in_place_of_a_good_one(
    arena: Arena, workshop: Workshop, place: Path, tmp_path: Path, digest_too: bool
) -> None:
    cache = CompiledCache(tmp_path / "code", tmp_path / "digests", settings=SETTINGS)
    good = workshop.plugin(place / "good", GUESTS / "computing.c", full_manifest("good"))
    evil = workshop.plugin(place / "evil", GUESTS / "wire.c", full_manifest("evil"))
    host = WasmHost(worker_command(), cache)
    native = await host.compile(good)
    (kept,) = (tmp_path / "code").iterdir()
    kept.write_bytes(await host.compile(evil))
    if digest_too:
        (tmp_path / "digests" / kept.stem).unlink()

    assert await host.compile(good) == native
    (tool,) = host.tools(good)
    assert (await tool.invoke({"do": "grow-at-once", "path": ""}, ToolContext()))["said"] in ("refused", "given")
    await host.aclose()
    await arena.live_on()


@promise("tools.attacks.identity")
@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "object", "properties": {"said": {"type": "integer"}}}, "said: 'who' is not of type 'integer'"),
        ({"type": "object", "required": ["count"]}, "'count' is a required property"),
        ({"type": "object", "properties": {}, "additionalProperties": False}, "Additional properties"),
    ],
)
async def test_an_answer_that_does_not_fit_what_the_manifest_promised_is_refused(
    arena: Arena, schema: dict[str, Json], told: str
) -> None:
    spec: list[Json] = [{"name": "do", "description": "", "inputSchema": {"type": "object"}, "outputSchema": schema}]
    plugin = arena.plugin("wire", {**full_manifest("evil"), "limits": PATIENT, "spec": spec})

    outcome = await arena.call(plugin, ASKED)

    assert type(outcome.error) is ToolOutputError
    assert told in outcome.error.message
    assert "the fault is the tool's" in outcome.error.hint
    await arena.live_on()


@promise("tools.attacks.identity")
@pytest.mark.parametrize(
    ("lie", "told"),
    [
        ({"limits": {"memory_mib": 10**6}}, "memory_mib"),
        ({"limits": {"timeout_ms": 10**9}}, "timeout_ms"),
        ({"limits": {"output_bytes": 10**10}}, "output_bytes"),
        ({"capabilities": ["fs:read=/../etc"]}, "no absolute path"),
        ({"capabilities": ["root"]}, "no capability"),
        ({"sha256": "0" * 64}, "sha256"),
        ({"trust": "builtin"}, "trust"),
        ({"entry": "other.wasm"}, "cannot read"),
        (
            {"spec": [{"name": "do", "description": "", "inputSchema": {"type": "object", "$ref": "http://x/"}}]},
            "leads out",
        ),
        (
            {"spec": [{"name": "do", "description": "", "inputSchema": {"type": "object", "pattern": "(a+)+$"}}]},
            "the pattern",
        ),
    ],
    ids=str,
)
def test_a_manifest_that_asks_for_what_cannot_be_is_refused_and_hides_no_other(
    place: Path, lie: dict[str, Json], told: str
) -> None:
    for name, more in (("evil", lie), ("good", {})):
        (place / name).mkdir()
        (place / name / "guest.wasm").write_bytes(b"\0asm\1\0\0\0")
        (place / name / "manifest.json").write_text(json.dumps({**full_manifest(name), **more}))

    found = discover([place])

    assert [plugin.name for plugin in found.plugins] == ["good"]
    (problem,) = found.problems
    assert told in problem
    assert problem.isprintable()


@promise("tools.attacks.identity")
async def test_a_module_that_is_none_or_larger_than_it_says_is_refused(arena: Arena) -> None:
    whole = arena.plugin("wire", full_manifest("evil")).module.read_bytes()
    for content in (whole[:-100], whole[:9] + b"\xff\xff\xff\x7f" + whole[13:], b"\0asm\1\0\0\0" + b"\0" * 4096):
        outcome = await arena.call(arena.of_bytes(content), {})

        assert type(outcome.error) is PluginError
        assert "cannot be compiled" in outcome.error.message
        assert outcome.error.hint
        await arena.live_on()


@promise("tools.attacks.identity")
@promise("tools.registry.clash")
def test_a_plugin_cannot_take_the_name_of_another_or_of_a_built_in_tool(place: Path) -> None:
    for folder in ("a", "b"):
        (place / folder).mkdir()
        (place / folder / "guest.wasm").write_bytes(b"\0asm\1\0\0\0")
        (place / folder / "manifest.json").write_text(json.dumps(full_manifest("same")))
    own = FakeTool(a_spec("fs.read", origin=Origin(kind=OriginKind.BUILTIN, name="fs")))
    thief = FakeTool(a_spec("FS.read", origin=Origin(kind=OriginKind.PLUGIN, name="fs", sha256="0", place="/p/fs")))

    found = discover([place])
    registry = Registry.without_clashes([thief, own])

    assert found.plugins == ()
    assert str(place / "a") in found.problems[0]
    assert str(place / "b") in found.problems[0]
    assert registry.get("fs.read") is own
    assert len(registry) == 1
    assert "/p/fs" in registry.clashes[0].message


@promise("tools.attacks.identity")
@pytest.mark.parametrize("other", ["twin.do", "TWIN.do", "twin.DO"])
def test_of_two_strangers_with_one_name_neither_is_called(other: str) -> None:
    registry = Registry.without_clashes([FakeTool(a_spec("twin.do")), FakeTool(a_spec(other))])

    with pytest.raises(ToolClashError, match="two tools"):
        registry.get("twin.do")

    assert len(registry) == 0
