"""Where things stand."""

from pathlib import Path

import pytest

from ourcli.common.errors import ConfigError
from ourcli.config.locations import Home
from ourcli.config.settings import PathSettings, Settings
from tests.promises import promise


@promise("config.home.named")
def test_the_home_is_named_by_its_variable() -> None:
    assert Home.from_environment({"OURCLI_HOME": "/data/ourcli"}).root == Path("/data/ourcli")


def test_a_relative_home_starts_at_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Home.from_environment({"OURCLI_HOME": "h"}).root == tmp_path / "h"


@pytest.mark.parametrize("environment", [{}, {"OURCLI_HOME": ""}])
def test_without_the_variable_the_home_is_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert Home.from_environment(environment).root == tmp_path / ".ourcli"


@pytest.mark.parametrize("named", ["~nobody-of-this-name/x", "a\0b"])
def test_a_home_that_is_no_path_is_an_error(named: str) -> None:
    with pytest.raises(ConfigError, match="OURCLI_HOME"):
        Home.from_environment({"OURCLI_HOME": named})


def test_folders_of_the_settings_start_at_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/u")
    monkeypatch.setenv("USERPROFILE", "/u")
    home = Home(Path("/h"))
    assert home.db(Settings()) == Path("/h/lancedb")
    assert home.db(Settings(paths=PathSettings(db="/abs"))) == Path("/abs")
    assert home.models(Settings(paths=PathSettings(models="~/m"))) == Path("/u/m")
