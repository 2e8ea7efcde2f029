"""Settings as the facade gives them: with schedules that mean something."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ourcli.app import configuration
from ourcli.common.errors import ConfigError
from ourcli.config.locations import Home
from ourcli.memory.policy.reading import shipped_rules, shipped_text, validate_rules
from tests.promises import promise

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@promise("config.check.schedules")
def test_a_check_tells_schedules_in_words_with_the_next_run(home: Path) -> None:
    checked = configuration.check(Home(home), {"OURCLI_NET": "1", "OURCLI_LOG": "info"}, home.parent, now=NOW)
    assert [plan.in_words for plan in checked.schedules] == ["Every 6 hours", "At 00:00, every day"]
    assert all(plan.next_run > NOW for plan in checked.schedules)
    assert checked.network
    assert checked.log.level == 20


@promise("config.load.schedules")
def test_a_schedule_that_means_nothing_is_refused_where_it_was_set(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text('[scheduler]\npromote_cron = "0 */6 * * *"\n')
    with pytest.raises(ConfigError, match=r"line 2: scheduler\.promote_cron: .* has five fields") as caught:
        configuration.load_checked(Home(home), {}, home.parent)
    assert '"0 0 */6 * * *"' in caught.value.hint


@pytest.mark.parametrize("environment", [{"OURCLI_NET": "maybe"}, {"OURCLI_LOG": "loud"}])
def test_a_check_looks_at_switches_too(home: Path, environment: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="OURCLI_"):
        configuration.check(Home(home), environment, home.parent, now=NOW)


@promise("config.set.schedule")
def test_a_schedule_that_means_nothing_is_not_set(home: Path) -> None:
    with pytest.raises(ConfigError, match=r"scheduler\.vacuum_cron: .* has five fields"):
        configuration.set_setting(Home(home), {}, "scheduler.vacuum_cron", "0 0 * * *")
    assert not (home / "config.toml").exists()


@promise("config.load.rules")
def test_a_rule_that_means_nothing_is_refused_where_it_was_set(home: Path) -> None:
    home.mkdir()
    rule = 'name = "keep"\nwhen = {layer = "interact", oldr_than = "24h"}\nthen = {do = "promote", to = "insights"}'
    (home / "config.toml").write_text(f"[[memory.rules]]\n{rule}\n")
    expected = r"config\.toml.*: memory\.rules: rule 'keep': unknown key 'when\.oldr_than'"
    with pytest.raises(ConfigError, match=expected) as caught:
        configuration.load_checked(Home(home), {}, home.parent)
    assert "older_than" in caught.value.hint
    with pytest.raises(ConfigError, match=expected):
        configuration.check(Home(home), {}, home.parent, now=NOW)


def test_an_index_that_does_not_exist_is_refused_where_it_was_set_and_is_not_set(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text('[memory]\nindex_assets = "ivf"\n')
    with pytest.raises(ConfigError, match=r"line 2: memory\.index_assets is 'ivf', which is no index") as caught:
        configuration.load_checked(Home(home), {}, home.parent)
    assert "ivf-sq" in caught.value.hint
    (home / "config.toml").unlink()
    with pytest.raises(ConfigError, match="no index"):
        configuration.set_setting(Home(home), {}, "memory.index_interact", "hnsw")
    assert not (home / "config.toml").exists()


def test_the_shipped_rules_can_stand_in_the_configuration_file(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text(shipped_text())
    loaded = configuration.load_checked(Home(home), {}, home.parent)
    assert validate_rules(loaded.settings.memory.rules) == shipped_rules()


def test_a_setting_that_a_variable_hides_is_told(home: Path) -> None:
    changed = configuration.set_setting(Home(home), {"OURCLI_AI_THREADS": "2"}, "ai.threads", "3")
    assert (changed.value, changed.hidden_by, changed.path) == (3, "OURCLI_AI_THREADS", home / "config.toml")


def test_a_schedule_is_shown_in_words(home: Path) -> None:
    loaded = configuration.load_checked(Home(home), {}, home.parent)
    assert configuration.show_one(loaded, "scheduler.promote_cron").in_words == "Every 6 hours"
    assert configuration.show_one(loaded, "ai.threads").in_words is None


def test_a_working_folder_that_was_removed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ConfigError, match="does not exist any more"):
        configuration.working_folder()
