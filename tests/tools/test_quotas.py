"""Quotas on folders that a guest may write."""

from pathlib import Path

import pytest

from ourcli.common.errors import ToolError
from ourcli.tools.backends.tree_size import tree_bytes
from ourcli.tools.backends.wasm.host import WasmHost
from ourcli.tools.capabilities import Quota, parse
from ourcli.tools.data import Json
from ourcli.tools.plugins import Plugin
from ourcli.tools.ports import ToolContext
from tests.promises import promise
from tests.support.guests import Workshop, full_manifest

pytestmark = pytest.mark.anyio
ASKER = Path(__file__).parent / "guests" / "asker.c"
MIB = 1024 * 1024


async def do(host: WasmHost, plugin: Plugin, word: str, folder: Path, most: int) -> Json:
    (tool,) = host.tools(plugin)
    granted = frozenset({parse(f"fs:write={folder}")})
    quotas = frozenset({Quota(path=str(folder), most_bytes=most)})
    return (await tool.invoke({"do": word, "what": str(folder)}, ToolContext(granted=granted, quotas=quotas)))["said"]


@promise("tools.wasm.quota")
@pytest.mark.parametrize("mode", ["persistent", "fresh"])
async def test_a_guest_that_fills_its_folder_is_stopped_and_told(
    host: WasmHost, workshop: Workshop, place: Path, tmp_path: Path, mode: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    manifest = full_manifest("asker", capabilities=[f"fs:write={out}"], mode=mode, timeout_ms=60_000)
    plugin = workshop.plugin(place / "asker", ASKER, manifest)

    with pytest.raises(ToolError, match=r"more than its quota: .* 8388608 are allowed"):
        await do(host, plugin, "fill", out, 8 * MIB)

    assert 8 * MIB < tree_bytes(out) < 4096 * MIB
    assert await do(host, plugin, "plain", out, 8 * MIB) == "plain"


@promise("tools.wasm.quota")
async def test_a_little_too_much_is_told_after_the_call(
    host: WasmHost, workshop: Workshop, place: Path, tmp_path: Path
) -> None:
    plugin = workshop.plugin(
        place / "guest",
        ASKER.with_name("behave.c"),
        full_manifest("guest", capabilities=[f"fs:write={tmp_path / 'out'}"]),
    )
    (tmp_path / "out").mkdir()
    (tool,) = host.tools(plugin)
    granted = frozenset({parse(f"fs:write={tmp_path / 'out'}")})
    quotas = frozenset({Quota(path=str(tmp_path / "out"), most_bytes=3)})

    with pytest.raises(ToolError, match="holds 7 bytes, 3 are allowed"):
        await tool.invoke(
            {"do": "write", "path": str(tmp_path / "out" / "new.txt")}, ToolContext(granted=granted, quotas=quotas)
        )
