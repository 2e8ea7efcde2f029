"""Folders that no right opens: a guest is not started where its rights lead into one."""

from pathlib import Path

import pytest

from ourcli.app.worker import worker_command
from ourcli.common.errors import DeniedError
from ourcli.tools.backends.wasm.compiled import CompiledCache
from ourcli.tools.backends.wasm.host import WasmHost
from ourcli.tools.capabilities import parse
from ourcli.tools.ports import ToolContext
from tests.promises import promise
from tests.support.guests import Workshop, full_manifest

pytestmark = pytest.mark.anyio
BEHAVE = Path(__file__).parent / "guests" / "behave.c"


@promise("tools.grants.home-unread")
@pytest.mark.parametrize("kind", ["fs:read", "fs:write"])
@pytest.mark.parametrize("path", [".", "own", "own/state", "link", "link/state"])
async def test_no_grant_lets_a_guest_into_ourclis_own_folder(
    compiled_modules: CompiledCache, workshop: Workshop, tmp_path: Path, kind: str, path: str
) -> None:
    own = tmp_path / "own"
    (own / "state").mkdir(parents=True)
    (tmp_path / "link").symlink_to(own)
    right = f"{kind}={tmp_path / path}"
    plugin = workshop.plugin(tmp_path / "guest", BEHAVE, full_manifest("guest", capabilities=[right]))
    host = WasmHost(worker_command(), compiled_modules, closed=(own,))
    (tool,) = host.tools(plugin)

    with pytest.raises(DeniedError, match="ourcli's own folder"):
        await tool.invoke({"do": "read", "path": "x"}, ToolContext(granted=frozenset({parse(right)})))

    await host.aclose()
