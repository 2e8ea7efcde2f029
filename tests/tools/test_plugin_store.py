"""Plugins added and removed: whole or not at all, with the digest of each file."""

import json
import zipfile
from pathlib import Path

import pytest

from ourcli.common.errors import InvalidInputError, NotFoundError, PluginError, StoreError
from ourcli.testing.clock import FrozenClock
from ourcli.testing.grants import NOON
from ourcli.tools.backends.plugin_store import PluginStore
from ourcli.tools.plugins import load_plugin
from tests.promises import promise
from tests.support.guests import full_manifest

MODULE = b"\0asm\1\0\0\0"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return where ourcli's home is to stand."""
    return tmp_path / "home"


@pytest.fixture
def store(home: Path) -> PluginStore:
    """Return the store of that home."""
    return PluginStore(home, home / "plugins", home / "plugins.lock", clock=FrozenClock(NOON))


def a_folder(folder: Path, name: str = "hello", *, module: bytes = MODULE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(full_manifest(name) | {"version": "1.2"}))
    (folder / "hello.wasm").write_bytes(module)
    (folder / "README.md").write_text("words")
    (folder / "src").mkdir(exist_ok=True)
    (folder / "src" / "secret.c").write_text("int")
    return folder


def left_over(home: Path) -> list[str]:
    return sorted(path.name for path in home.iterdir() if path.name not in {"plugins", "plugins.lock"})


@promise("tools.plugins.added")
@pytest.mark.parametrize("packed", [False, True])
def test_a_plugin_is_copied_with_its_texts_and_its_digests_are_kept(
    store: PluginStore, home: Path, tmp_path: Path, packed: bool
) -> None:
    source = a_folder(tmp_path / "source" / "hello")
    if packed:
        with zipfile.ZipFile(tmp_path / "hello.zip", "w") as archive:
            for path in source.rglob("*"):
                archive.write(path, path.relative_to(source.parent))
        source = tmp_path / "hello.zip"

    added = store.add(source, replace=False)

    assert sorted(path.name for path in added.plugin.folder.iterdir()) == ["README.md", "hello.wasm", "manifest.json"]
    assert added.plugin.folder == home / "plugins" / "hello"
    locked = store.lock().plugins["hello"]
    assert (locked.version, locked.source, locked.files) == ("1.2", str(source), added.files)
    assert store.faults(added.plugin, store.lock()) == ()
    assert [path for path in left_over(home) if not path.endswith(".lock")] == []


@promise("tools.plugins.locked")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "hello.wasm").write_bytes(MODULE + b"\0"), "hello.wasm changed"),
        (lambda folder: (folder / "README.md").unlink(), "README.md is gone"),
        (lambda folder: (folder / "more.wasm").write_bytes(MODULE), "'more.wasm' was added"),
        (lambda folder: (folder / "link").symlink_to("/etc/passwd"), "it is a link"),
    ],
)
def test_a_change_after_adding_is_named(store: PluginStore, tmp_path: Path, change: object, said: str) -> None:
    added = store.add(a_folder(tmp_path / "hello"), replace=False)

    change(added.plugin.folder)  # type: ignore[operator]  # each is a function of the folder

    assert said in " ".join(store.faults(added.plugin, store.lock()))


@promise("tools.plugins.added")
def test_one_of_its_name_is_replaced_only_when_told_so(store: PluginStore, tmp_path: Path) -> None:
    store.add(a_folder(tmp_path / "one"), replace=False)
    other = a_folder(tmp_path / "two", module=MODULE + b"\0\1\0")

    with pytest.raises(InvalidInputError, match="already"):
        store.add(other, replace=False)
    assert store.faults(load_plugin(tmp_path / "home" / "plugins" / "hello"), store.lock()) == ()
    added = store.add(other, replace=True)

    assert added.replaced
    assert added.plugin.module.read_bytes() == MODULE + b"\0\1\0"
    assert store.faults(added.plugin, store.lock()) == ()


@promise("tools.plugins.added")
@pytest.mark.parametrize("fault", ["manifest", "link", "module", "missing", "kind"])
def test_what_cannot_be_used_is_not_added(store: PluginStore, home: Path, tmp_path: Path, fault: str) -> None:
    source = a_folder(tmp_path / "hello")
    if fault == "manifest":
        (source / "manifest.json").write_text("{}")
    elif fault == "link":
        (source / "README.md").unlink()
        (source / "README.md").symlink_to("/etc/passwd")
    elif fault == "module":
        (source / "hello.wasm").unlink()
    elif fault == "missing":
        source = tmp_path / "nowhere"
    else:
        source = source / "README.md"

    with pytest.raises(PluginError):
        store.add(source, replace=False)

    assert not (home / "plugins").exists()
    assert store.lock().plugins == {}
    assert left_over(home) == []


@promise("tools.plugins.removed")
def test_a_removed_plugin_is_gone_from_the_lock_too(store: PluginStore, home: Path, tmp_path: Path) -> None:
    store.add(a_folder(tmp_path / "hello"), replace=False)

    with pytest.raises(NotFoundError, match="hullo"):
        store.remove("hullo")
    store.remove("hello")

    assert list((home / "plugins").iterdir()) == []
    assert store.lock().plugins == {}


@promise("tools.plugins.locked")
@pytest.mark.parametrize("content", [b"", b"{", b'{"plugins": 1}', b'{"version": 9}'])
def test_a_damaged_lock_is_an_error_and_is_not_overwritten(
    store: PluginStore, home: Path, tmp_path: Path, content: bytes
) -> None:
    home.mkdir()
    (home / "plugins.lock").write_bytes(content)

    with pytest.raises(StoreError, match="damaged"):
        store.lock()
    with pytest.raises(StoreError, match="damaged"):
        store.add(a_folder(tmp_path / "hello"), replace=False)

    assert (home / "plugins.lock").read_bytes() == content
    assert not (home / "plugins" / "hello").exists()
