"""Which source wins, and what each of them may not say."""

import re
from pathlib import Path

import pytest

from ourcli.common.errors import ConfigError
from ourcli.config.load import Overrides, load
from ourcli.config.locations import Home
from ourcli.config.project_file import trust_project
from ourcli.config.settings import Settings
from ourcli.config.trust import TrustStore
from tests.promises import promise


@pytest.fixture
def place(home: Path) -> Home:
    home.mkdir()
    return Home(home)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    made.mkdir()
    return made


@promise("config.load.defaults")
def test_without_any_source_every_value_is_the_default(place: Home, folder: Path) -> None:
    loaded = load(place, {}, folder)
    assert loaded.settings == Settings()
    assert {origin.kind for origin in loaded.origins.values()} == {"default"}
    assert (loaded.project_file, loaded.project_trusted, loaded.warnings) == (None, False, ())


@promise("config.load.writes-nothing")
def test_loading_makes_no_file(tmp_path: Path, folder: Path) -> None:
    load(Home(tmp_path / "none"), {}, folder)
    assert not (tmp_path / "none").exists()


@promise("config.load.precedence")
def test_each_source_wins_over_the_weaker_ones(place: Home, folder: Path) -> None:
    place.config_file.write_text('project = "user"\n[ai]\nseed = 1\nthreads = 1\nmax_ctx_tokens = 1001\n')
    file = folder / ".ourcli.toml"
    file.write_text('project = "cloned"\n[ai]\nseed = 2\nthreads = 2\n')
    trust_project(file, TrustStore(place.trust_file))
    environment = {"OURCLI_AI_SEED": "3", "OURCLI_PROJECT": "variable"}
    loaded = load(place, environment, folder, Overrides(project="flag"))
    assert loaded.settings.project == "flag"
    assert (loaded.settings.ai.seed, loaded.settings.ai.threads, loaded.settings.ai.max_ctx_tokens) == (3, 2, 1001)
    kinds = {name: loaded.origins[name].kind for name in ("project", "ai.seed", "ai.threads", "ai.max_ctx_tokens")}
    assert kinds == {"project": "flag", "ai.seed": "environment", "ai.threads": "project", "ai.max_ctx_tokens": "user"}
    assert loaded.project_trusted


@promise("config.show.origin")
def test_an_origin_names_file_and_line_or_variable(place: Home, folder: Path) -> None:
    place.config_file.write_text("# mine\n\n[ai]\nthreads = 2\n")
    loaded = load(place, {"OURCLI_AI_SEED": "7"}, folder)
    assert str(loaded.origins["ai.threads"]) == f"{place.config_file}, line 4"
    assert str(loaded.origins["ai.seed"]) == "OURCLI_AI_SEED"
    assert str(loaded.origins["ai.temperature"]) == "default"


@promise("config.key.unknown")
@pytest.mark.parametrize(
    ("text", "line", "near"),
    [
        ("[ai]\nthread = 2\n", 2, "ai.threads"),
        ('[ai]\nseed = 1\nmodel = "x"\n', 3, "ai.llm_model"),
        ("threads = 2\n", 1, "ai.threads"),
        ("\n[aii]\nthreads = 2\n", 2, "ai"),
        ("ai.sed = 2\n", 1, "ai.seed"),
        ('projct = "a"\n', 1, "project"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest(place: Home, folder: Path, text: str, line: int, near: str) -> None:
    place.config_file.write_text(text)
    with pytest.raises(ConfigError, match=f"line {line}: unknown") as caught:
        load(place, {}, folder)
    assert f"did you mean {near!r}" in caught.value.hint
    assert caught.value.exit_code == 2


def test_a_key_like_no_other_is_refused_without_a_guess(place: Home, folder: Path) -> None:
    place.config_file.write_text("zzzzqqqq = 1\n")
    with pytest.raises(ConfigError, match="unknown key 'zzzzqqqq'") as caught:
        load(place, {}, folder)
    assert "did you mean" not in caught.value.hint


@promise("config.value.wrong-type")
@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ('[ai]\nthreads = "2"\n', "'2'", "a whole number from 0 to 512"),
        ("[ai]\nthreads = true\n", "True", "a whole number"),
        ("[ai]\nthreads = -1\n", "-1", "from 0 to 512"),
        ("[ai]\nthreads = 2.0\n", "2.0", "a whole number"),
        ("[ai]\ntemperature = nan\n", "nan", "a number from 0 to 2"),
        ("[ai]\nprefill_seconds = 0\n", "0", "a number above 0 to 600"),
        ("[ai]\nllm_model = 3\n", "3", "text"),
        ('[ai]\nllm_model = " "\n', "' '", "it is empty"),
        ('[ai]\nllm_model = "a\\u0000b"\n', "'a\\x00b'", "control character"),
        ('[ai]\nbase_url = "ftp://x"\n', "'ftp://x'", "an http:// or https:// address"),
        ('[ai]\nbase_url = "https://me:secret@x"\n', "'https://me:secret@x'", "address"),
        ("ai = 3\n", "3", "a table"),
        ("project = ['a']\n", "['a']", "a name of 1 to 64 letters"),
        ('project = "../up"\n', "'../up'", "a name of 1 to 64 letters"),
        ('[paths]\ndb = "s3://bucket/x"\n', "'s3://bucket/x'", "not supported yet"),
        ('[ingest]\nexclude = "*.md"\n', "'*.md'", "a list of patterns"),
        ('[ingest]\nexclude = ["a", 3]\n', "['a', 3]", "entry 2"),
        ("[memory]\nrules = [1]\n", "[1]", "a list of tables"),
        ("[memory]\ninbox = 1\n", "1", "expected true or false"),
        ('[memory]\ninbox = "true"\n', "'true'", "expected true or false"),
        ("[[memory.rules]]\nsince = 2026-01-01\n", "since", "write dates as text"),
        ("[[memory.rules]]\nweight = inf\n", "inf", "not a number a rule can use"),
    ],
)
def test_a_wrong_value_is_refused_in_words(place: Home, folder: Path, text: str, found: str, expected: str) -> None:
    place.config_file.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(str(place.config_file))) as caught:
        load(place, {}, folder)
    assert found in caught.value.message
    assert expected in caught.value.message
    assert caught.value.hint


def test_a_wrong_value_is_refused_even_when_a_stronger_source_is_right(place: Home, folder: Path) -> None:
    place.config_file.write_text("[ai]\nthreads = 'many'\n")
    with pytest.raises(ConfigError, match=r"line 2: ai\.threads is 'many'"):
        load(place, {"OURCLI_AI_THREADS": "2"}, folder)


@promise("config.environment.values")
@pytest.mark.parametrize(
    ("variable", "text", "section", "field", "value"),
    [
        ("OURCLI_AI_THREADS", "4", "ai", "threads", 4),
        ("OURCLI_AI_TEMPERATURE", "0.5", "ai", "temperature", 0.5),
        ("OURCLI_AI_TEMPERATURE", "1", "ai", "temperature", 1.0),
        ("OURCLI_AI_LLM_MODEL", "/m/x.gguf", "ai", "llm_model", "/m/x.gguf"),
        ("OURCLI_PATHS_DB", "~/db", "paths", "db", "~/db"),
        ("OURCLI_INGEST_EXCLUDE", "*.log, build/", "ingest", "exclude", ("*.log", "build/")),
        ("OURCLI_INGEST_EXCLUDE", '["a,b", "c"]', "ingest", "exclude", ("a,b", "c")),
        ("OURCLI_INGEST_EXCLUDE", "[]", "ingest", "exclude", ()),
        ("OURCLI_MEMORY_RULES", '[{ id = "x" }]', "memory", "rules", ({"id": "x"},)),
        ("OURCLI_MEMORY_INBOX", "true", "memory", "inbox", True),
        ("OURCLI_MEMORY_INBOX", "1", "memory", "inbox", True),
        ("OURCLI_MEMORY_INBOX", "False", "memory", "inbox", False),
        ("OURCLI_MEMORY_INBOX", "0", "memory", "inbox", False),
        ("OURCLI_AI_THREADS", "", "ai", "threads", 0),
    ],
)
def test_a_variable_sets_its_key(
    place: Home, folder: Path, *, variable: str, text: str, section: str, field: str, value: object
) -> None:
    loaded = load(place, {variable: text}, folder)
    assert getattr(getattr(loaded.settings, section), field) == value


@promise("config.environment.wrong")
@pytest.mark.parametrize(
    ("variable", "text", "says"),
    [
        ("OURCLI_AI_THREADS", "many", "OURCLI_AI_THREADS: ai.threads is 'many'"),
        ("OURCLI_AI_THREADS", "9" * 5000, "OURCLI_AI_THREADS: ai.threads"),
        ("OURCLI_AI_TEMPERATURE", "nan", "expected a number from 0 to 2"),
        ("OURCLI_MEMORY_INBOX", "maybe", "OURCLI_MEMORY_INBOX: memory.inbox is 'maybe', expected true or false"),
        ("OURCLI_MEMORY_INBOX", "2", "expected true or false"),
        ("OURCLI_INGEST_EXCLUDE", '["a"', "expected a list of patterns"),
        ("OURCLI_INGEST_EXCLUDE", '["a"]\nproject = "b"', "expected a list of patterns"),
        ("OURCLI_INGEST_EXCLUDE", "[" * 5000, "expected a list of patterns"),
        ("OURCLI_PROJECT", "a b", "OURCLI_PROJECT: project is 'a b'"),
        ("OURCLI_PATHS_DB", "a\udcff", "not valid UTF-8"),
    ],
)
def test_a_wrong_variable_is_named(place: Home, folder: Path, variable: str, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(place, {variable: text}, folder)
    assert says in caught.value.message


@promise("config.environment.unknown")
@pytest.mark.parametrize(
    ("variable", "near"),
    [
        ("OURCLI_AI_THREAD", "OURCLI_AI_THREADS"),
        ("OURCLI_AII_THREADS", "OURCLI_AI_THREADS"),
        ("OURCLI_NETT", "OURCLI_NET"),
    ],
)
def test_a_variable_that_is_like_a_setting_is_refused_with_the_nearest(
    place: Home, folder: Path, variable: str, near: str
) -> None:
    with pytest.raises(ConfigError, match=f"unknown variable {variable}") as caught:
        load(place, {variable: "1"}, folder)
    assert f"did you mean {near!r}" in caught.value.hint


def test_a_variable_like_no_setting_costs_a_warning(place: Home, folder: Path) -> None:
    loaded = load(place, {"OURCLI_BANANA": "1", "OURCLI_TEST_MODELS": "/x", "OURCLI_NET": "1"}, folder)
    assert loaded.warnings == ("OURCLI_BANANA means nothing to ourcli and is ignored",)


@promise("config.file.named")
def test_the_user_file_can_be_named(place: Home, folder: Path, tmp_path: Path) -> None:
    place.config_file.write_text("[ai]\nthreads = 1\n")
    other = tmp_path / "other.toml"
    other.write_text("[ai]\nthreads = 2\n")
    loaded = load(place, {"OURCLI_CONFIG": str(other)}, folder)
    assert (loaded.settings.ai.threads, loaded.config_file) == (2, other)


def test_a_named_file_that_is_missing_is_an_error(place: Home, folder: Path) -> None:
    with pytest.raises(ConfigError, match="OURCLI_CONFIG is '/none', which does not exist"):
        load(place, {"OURCLI_CONFIG": "/none"}, folder)


@promise("config.flag.wrong")
def test_a_wrong_flag_is_refused(place: Home, folder: Path) -> None:
    with pytest.raises(ConfigError, match="command line: project is 'a/b'"):
        load(place, {}, folder, Overrides(project="a/b"))


def test_any_key_can_be_overridden(place: Home, folder: Path) -> None:
    loaded = load(place, {}, folder, Overrides(values={"ai.llm_model": "tiny", "ai.threads": 3}))
    assert (loaded.settings.ai.llm_model, loaded.settings.ai.threads) == ("tiny", 3)
    assert loaded.origins["ai.threads"].kind == "flag"
