"""`ourcli config`, `trust` and `init` as a user meets them."""

import json
from pathlib import Path

import pytest

from tests.cli.running import Run
from tests.promises import promise


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "work"
    made.mkdir()
    monkeypatch.chdir(made)
    return made


@promise("cli.config.show")
def test_show_prints_every_setting_with_its_origin(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURCLI_AI_THREADS", "2")
    ran = run("config", "show", "--origin")
    assert ran.code == 0
    lines = {line.split()[0]: line for line in ran.out.splitlines()}
    assert lines["ai.threads"].split() == ["ai.threads", "2", "OURCLI_AI_THREADS"]
    assert "(Every 6 hours)" in lines["scheduler.promote_cron"]


def test_show_prints_one_json_document(run: Run) -> None:
    ran = run("config", "show", "--json")
    rows = {row["key"]: row for row in json.loads(ran.out)["settings"]}
    assert rows["ai.max_ctx_tokens"] == {
        "key": "ai.max_ctx_tokens",
        "value": 8192,
        "origin": "default",
        "source": "default",
    }


@promise("cli.config.set")
def test_what_is_set_can_be_got(run: Run) -> None:
    assert run("config", "set", "ai.llm_model", "tiny").code == 0
    assert run("config", "get", "ai.llm_model").out == "tiny\n"
    assert json.loads(run("config", "get", "ai.llm_model", "--json").out)["value"] == "tiny"


@promise("cli.config.errors")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("config", "get", "ai.model"), "did you mean 'ai.llm_model'"),
        (("config", "set", "ai.threads", "many"), "expected a whole number from 0 to 512"),
        (("config", "set", "scheduler.promote_cron", "0 */6 * * *"), '"0 0 */6 * * *"'),
        (("config", "shw"), "config show"),
        (("config", "show", "--project", "a b"), "project is 'a b'"),
    ],
)
def test_a_mistake_ends_with_2_and_a_hint(run: Run, arguments: tuple[str, ...], says: str) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert says in ran.err
    assert ran.out == ""


@promise("cli.config.check")
def test_check_shows_schedules_in_words_with_the_next_run(run: Run) -> None:
    ran = run("config", "check")
    assert ran.code == 0
    assert "Every 6 hours" in ran.out
    assert "valid" in ran.err
    report = json.loads(run("config", "check", "--json").out)
    assert [plan["in_words"] for plan in report["schedules"]] == ["Every 6 hours", "At 00:00, every day"]


@promise("cli.config.path")
def test_path_is_told_even_when_the_file_is_broken(run: Run, home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("x = ")
    assert run("config", "path").out == f"{home / 'config.toml'}\n"
    assert run("config", "show").code == 2


@promise("cli.trust")
def test_a_hostile_project_changes_nothing_until_it_is_trusted(run: Run, folder: Path) -> None:
    (folder / ".ourcli.toml").write_text('[ai]\nbase_url = "http://localhost:1"\n')
    before = run("config", "get", "ai.base_url")
    assert (before.code, before.out) == (0, "\n")
    assert "ai.base_url is ignored" in before.err
    trusted = run("trust")
    assert trusted.code == 0
    assert 'it sets ai.base_url = "http://localhost:1"' in trusted.err
    assert run("config", "get", "ai.base_url").out == "http://localhost:1\n"
    assert str(folder) in run("trust", "--list").out
    assert run("trust", "--revoke").code == 0
    assert run("config", "get", "ai.base_url").out == "\n"


def test_the_list_of_trust_stands_alone(run: Run) -> None:
    assert run("trust", "--list", "--revoke").code == 2
    assert json.loads(run("trust", "--list", "--json").out) == {"projects": []}


@promise("cli.init")
def test_init_starts_a_project_once(run: Run, folder: Path) -> None:
    assert run("init", "--project", "shop").code == 0
    assert run("config", "get", "project").out == "shop\n"
    again = run("init", "--project", "other")
    assert (again.code, run("config", "get", "project").out) == (1, "shop\n")
    assert "exists already" in again.err
