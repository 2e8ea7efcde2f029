"""Plugin folders: found, read, refused."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from ourcli.common.errors import PluginError
from ourcli.tools.data import Json
from ourcli.tools.plugins import discover, load_plugin, read_module
from ourcli.tools.spec import SideEffects
from tests.promises import promise
from tests.support.guests import full_manifest

MODULE = b"\0asm\1\0\0\0"


def put(folder: Path, manifest: dict[str, Json], *modules: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    for name in modules or ("a.wasm",):
        (folder / name).write_bytes(MODULE)
    return folder


@promise("tools.plugins.discovered")
def test_a_broken_plugin_is_told_and_hides_no_other(place: Path) -> None:
    put(place / "good", full_manifest("good"))
    put(place / "bad", {"name": "Bad"})
    put(place / "unbuilt", full_manifest("unbuilt"), "a.wasm")
    (place / "unbuilt" / "a.wasm").unlink()
    (place / "notes").mkdir()
    (place / "README.md").write_text("no plugin")

    found = discover([place, place / "missing"])

    assert [plugin.name for plugin in found.plugins] == ["good"]
    assert len(found.problems) == 2
    assert "Bad" not in found.problems[1]
    assert "holds no *.wasm" in found.problems[1]


@promise("tools.registry.clash")
def test_of_two_plugins_with_one_name_neither_is_used_and_both_places_are_named(place: Path) -> None:
    put(place / "one", full_manifest("same"))
    put(place / "two", full_manifest("same"))

    found = discover([place])

    assert found.plugins == ()
    assert str(place / "one") in found.problems[0]
    assert str(place / "two") in found.problems[0]


def test_digests_are_over_the_bytes_and_the_origin_over_both(place: Path) -> None:
    plugin = load_plugin(put(place / "p", full_manifest("p")))
    changed = load_plugin(put(place / "q", full_manifest("p", capabilities=["clock"])))

    assert plugin.module_sha256 == changed.module_sha256 == hashlib.sha256(MODULE).hexdigest()
    assert plugin.origin.sha256 != changed.origin.sha256
    assert read_module(plugin) == MODULE


@pytest.mark.parametrize(
    ("capabilities", "effects"),
    [
        ([], SideEffects.NONE),
        (["fs:read=/a", "env=A", "clock"], SideEffects.NONE),
        (["fs:write=/a"], SideEffects.LOCAL),
        (["memory:write"], SideEffects.LOCAL),
        (["fs:write=/a", "net=a.org"], SideEffects.EXTERNAL),
    ],
)
def test_rights_to_change_things_count_as_side_effects(
    place: Path, capabilities: list[str], effects: SideEffects
) -> None:
    plugin = load_plugin(put(place / "p", full_manifest("p", capabilities=capabilities)))

    assert plugin.specs()["do"].side_effects is effects
    assert plugin.specs()["do"].name == "p.do"


@promise("tools.plugins.discovered")
def test_several_modules_need_an_entry(place: Path) -> None:
    folder = put(place / "p", full_manifest("p"), "a.wasm", "b.wasm")

    with pytest.raises(PluginError, match=r"several \*\.wasm: a\.wasm, b\.wasm"):
        load_plugin(folder)

    (folder / "manifest.json").write_text(json.dumps(full_manifest("p") | {"entry": "b.wasm"}))
    assert load_plugin(folder).module.name == "b.wasm"


@promise("tools.manifest.hostile")
@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "missing", "link-manifest", "large"])
def test_files_that_are_no_plain_files_are_not_read(place: Path, tmp_path: Path, kind: str) -> None:
    folder = put(place / "p", full_manifest("p") | {"entry": "a.wasm"})
    module, secret = folder / "a.wasm", tmp_path / "secret"
    secret.write_text(json.dumps(full_manifest("p")))
    if kind in ("link", "fifo", "folder", "missing"):
        module.unlink()
    if kind == "link":
        module.symlink_to(secret)
    elif kind == "fifo":
        os.mkfifo(module)
    elif kind == "folder":
        module.mkdir()
    elif kind == "link-manifest":
        (folder / "manifest.json").unlink()
        (folder / "manifest.json").symlink_to(secret)
    elif kind == "large":
        with module.open("wb") as stream:
            stream.truncate(65 * 1024 * 1024)

    with pytest.raises(PluginError):
        load_plugin(folder)
