"""Starting and trusting projects."""

from pathlib import Path

import pytest

from ourcli.app import projects
from ourcli.common.errors import ConfigError, InvalidInputError, NotFoundError, StoreError
from ourcli.config.load import load
from ourcli.config.locations import Home
from tests.promises import promise


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "my shop (v2)"
    made.mkdir()
    return made


@promise("config.init.starts")
def test_a_new_project_is_named_after_its_folder(home: Path, folder: Path) -> None:
    projects.init(folder, None)
    loaded = load(Home(home), {}, folder)
    assert loaded.settings.project == "my-shop-v2"
    assert loaded.warnings == ()


def test_a_new_project_can_be_named(home: Path, folder: Path) -> None:
    projects.init(folder, "shop")
    assert load(Home(home), {}, folder).settings.project == "shop"


@pytest.mark.parametrize(
    ("name", "expected"), [("...", "project"), ("Büro", "B-ro"), ("_x_", "x_"), ("a" * 99, "a" * 64)]
)
def test_any_folder_gives_a_name_that_can_be_used(home: Path, tmp_path: Path, name: str, expected: str) -> None:
    made = tmp_path / name
    made.mkdir()
    projects.init(made, None)
    assert load(Home(home), {}, made).settings.project == expected


@promise("config.init.overwrites-nothing")
def test_a_project_file_that_exists_is_not_touched(folder: Path) -> None:
    (folder / ".ourcli.toml").write_text("# mine\n")
    with pytest.raises(InvalidInputError, match="exists already"):
        projects.init(folder, None)
    assert (folder / ".ourcli.toml").read_text() == "# mine\n"


def test_a_wrong_name_starts_nothing(folder: Path) -> None:
    with pytest.raises(ConfigError, match="expected a name"):
        projects.init(folder, "a b")
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot write"):
        projects.init(tmp_path / "none", "x")


@promise("config.trust.finds")
@pytest.mark.parametrize("given", [None, ".", "..", ".ourcli.toml"])
def test_the_project_is_found_by_folder_file_or_upwards(home: Path, folder: Path, given: str | None) -> None:
    (folder / ".ourcli.toml").write_text("[ai]\nthreads = 2\n")
    inner = folder / "src"
    inner.mkdir()
    start = inner if given in (None, "..") else folder
    found = projects.trust(Home(home), Path(given) if given else None, start)
    assert (found.root, found.sets) == (folder, {"ai.threads": "2"})
    assert load(Home(home), {}, inner).settings.ai.threads == 2


def test_without_a_project_there_is_nothing_to_trust(home: Path, folder: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no \.ourcli\.toml") as caught:
        projects.trust(Home(home), None, folder)
    assert "ourcli init" in caught.value.hint


def test_another_file_is_no_project(home: Path, folder: Path) -> None:
    (folder / "README.md").write_text("hello")
    with pytest.raises(ConfigError, match="is not a project"):
        projects.trust(Home(home), Path("README.md"), folder)


def test_a_project_that_was_removed_can_be_revoked(home: Path, folder: Path) -> None:
    (folder / ".ourcli.toml").write_text("")
    projects.trust(Home(home), folder, folder)
    (folder / ".ourcli.toml").unlink()
    folder.rmdir()
    assert projects.revoke(Home(home), folder, home.parent) == folder
    assert projects.trusted(Home(home)) == ()
