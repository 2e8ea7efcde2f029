"""What holds the workers of plugins in on this machine: asked of a real worker, with a guest that does nothing."""

import tempfile
from pathlib import Path
from typing import Final

from anyio import to_thread

from ourcli.app.tools.plugin_source import PluginSource
from ourcli.common.errors import ToolError
from ourcli.tools.plugins import Plugin, load_plugin

_MANIFEST: Final = b'{"name": "nothing", "description": "Does nothing", "inputs": [], "mode": "fresh"}'
_MODULE: Final = bytes.fromhex("0061736d0100000001040160000003020100070a01065f737461727400000a040102000b")
"""A module whose `_start` does nothing (WebAssembly core specification, section 5.5)."""


async def worker_guards(source: PluginSource) -> tuple[str, ...]:
    """Return the guards that are active for a worker, by name.

    Raises:
        PluginError: Plugins cannot be run here at all.
    """
    host = source.host()
    with tempfile.TemporaryDirectory() as folder:
        nothing = await to_thread.run_sync(_written, Path(folder))
        await host.compile(nothing)
        try:
            await host.listed(nothing)
        except ToolError:
            return host.guards  # it answers nothing, as it should
    return host.guards


def _written(folder: Path) -> Plugin:
    (folder / "manifest.json").write_bytes(_MANIFEST)
    (folder / "nothing.wasm").write_bytes(_MODULE)
    return load_plugin(folder)
