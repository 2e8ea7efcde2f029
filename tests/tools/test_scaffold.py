"""Templates of plugins: what is refused, what is written."""

from pathlib import Path

import pytest

from ourcli.common.errors import InvalidInputError
from ourcli.tools.manifest import read_manifest
from ourcli.tools.scaffold import LANGUAGES, plugin_files, write_plugin
from tests.promises import promise


@promise("tools.plugins.new-refused")
@pytest.mark.parametrize("name", ["", "Hello", "1a", "../up", "a b", "a/b", "ü", "a" * 65, "a\n"])
def test_what_cannot_be_a_plugins_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be the name"):
        plugin_files(name, "c")


@promise("tools.plugins.new-refused")
def test_a_language_without_a_template_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInputError) as caught:
        plugin_files("mine", "cobol")

    assert all(language in caught.value.hint for language in LANGUAGES)


@promise("tools.plugins.new-refused")
def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "plugin.c").write_text("my own work")

    with pytest.raises(InvalidInputError, match="is there already"):
        write_plugin(tmp_path / "mine", plugin_files("mine", "c"))

    assert [path.read_text() for path in (tmp_path / "mine").iterdir()] == ["my own work"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_template_takes_the_name_and_its_manifest_is_valid(language: str) -> None:
    files = plugin_files("my-tool_2", language)

    manifest = read_manifest(files["manifest.json"].encode(), Path("manifest.json"))

    assert (manifest.name, manifest.entry) == ("my-tool_2", "my-tool_2.wasm")
    assert [tool.name for tool in manifest.tools] == ["my-tool_2"]
    assert "README.md" in files
    assert not [name for name, text in files.items() if "hello" in text]
