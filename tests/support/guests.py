"""Guests for tests: compile C to WebAssembly once a session, and make plugin folders of it."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from ourcli.tools.data import Json
from ourcli.tools.plugins import Plugin, load_plugin
from tools.plugins import CompilerMissingError, compile_c

ANYTHING: Json = {"type": "object"}


@dataclass(frozen=True, slots=True)
class Workshop:
    """Compiles guests into one folder and makes plugins of them.

    Attributes:
        folder: For compiled modules; a module that is there already is not compiled again.
    """

    folder: Path

    def module(self, source: Path) -> Path:
        """Return the compiled module of a file of C; skips the test where the compiler is not installed."""
        target = self.folder / f"{source.stem}.wasm"
        if not target.exists():
            try:
                compile_c(source, target)
            except CompilerMissingError as exc:
                pytest.skip(str(exc))
        return target

    def plugin(self, folder: Path, source: Path, manifest: Mapping[str, Json]) -> Plugin:
        """Write a plugin of one module and this manifest into `folder`, and read it."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.module(source), folder / f"{source.stem}.wasm")
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return load_plugin(folder)


def full_manifest(
    name: str,
    tools: Sequence[str] = ("do",),
    *,
    capabilities: Sequence[str] = (),
    mode: str = "persistent",
    **limits: Json,
) -> dict[str, Json]:
    """Return a manifest of the full form whose tools take and give any object."""
    return {
        "name": name,
        "description": "A guest of the tests",
        "spec": [{"name": tool, "description": "Does what it is told", "inputSchema": ANYTHING} for tool in tools],
        "capabilities": list(capabilities),
        "mode": mode,
        "limits": limits,
    }
