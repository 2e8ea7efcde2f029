"""`config set`: one value changes, everything else stays, and nothing is ever half written."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from ourcli.common.errors import ConfigError, StoreError
from ourcli.config.edit import set_value
from ourcli.config.settings import Settings
from ourcli.config.toml_file import read
from tests.promises import promise

COMMENTED = """\
# My settings.
project = "mine"  # my own

[ai]  # the models
threads = 3  # leave one core free

# Where things are.
[paths]
db = "tables"

# Files.
[ingest]
exclude = [
    "*.log",  # noise
]
"""


@pytest.fixture
def file(home: Path) -> Path:
    home.mkdir()
    return home / "config.toml"


@promise("config.set.creates")
def test_the_file_is_made_private_when_it_is_missing(home: Path) -> None:
    set_value(home / "config.toml", "ai.threads", "4")
    assert (home / "config.toml").read_text() == "[ai]\nthreads = 4\n"
    assert stat.S_IMODE((home / "config.toml").stat().st_mode) == 0o600


@promise("config.set.keeps-comments")
def test_only_the_value_changes(file: Path) -> None:
    file.write_text(COMMENTED)
    set_value(file, "ai.threads", "4")
    assert file.read_text() == COMMENTED.replace("threads = 3", "threads = 4")


def test_a_new_key_stands_with_its_section(file: Path) -> None:
    file.write_text(COMMENTED)
    set_value(file, "ai.seed", "7")
    line = "threads = 3  # leave one core free\n"
    assert file.read_text() == COMMENTED.replace(line, line + "seed = 7\n")


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("", "project", "x"),
        ("ai.threads = 1\n", "ai.seed", "2"),
        ("ai = { threads = 1 }\n", "ai.seed", "2"),
        ("[ai]\n[paths]\n", "ai.seed", "2"),
        ("[ai]\r\nthreads = 1\r\n# end\r\n", "ai.seed", "2"),
        ("[[memory.rules]]\nid = 'a'\n[paths]\ndb = 'x'\n", "memory.rules", '[{ id = "b", when = { days = 3 } }]'),
        ("[[memory.rules]]\nid = 'a'\n[paths]\ndb = 'x'\n", "memory.rules", "[]"),
        ("[[memory.rules]]\nid = 'a'\n", "ai.seed", "2"),
        ("[memory]\n", "memory.rules", '[{ id = "b" }]'),
        ('[ingest]\nexclude = ["a"] # why\n', "ingest.exclude", "a, b"),
        ("project = 'a'", "ai.seed", "2"),
        ("", "memory.inbox", "true"),
        ("[memory]\ninbox = true # wait\n", "memory.inbox", "false"),
        ("[ai]\nthreads = 'broken'\n", "ai.threads", "2"),
    ],
)
def test_every_way_to_write_a_file_can_be_edited(file: Path, text: str, name: str, value: str) -> None:
    file.write_bytes(text.encode())
    expected = set_value(file, name, value)
    section, _, field = name.rpartition(".")
    table = read(file).table
    found = table[section] if section else table
    assert isinstance(found, dict)
    assert (tuple(found[field]) if isinstance(expected, tuple) else found[field]) == expected


@promise("config.set.refuses")
@pytest.mark.parametrize(
    ("present", "name", "text", "says"),
    [
        ("", "ai.thread", "4", "unknown key 'ai.thread'"),
        ("", "ai.threads", "x", "expected a whole number"),
        ("", "ai.threads", "-1", "expected a whole number"),
        ("", "memory.inbox", "yes", "expected true or false"),
        ("", "project", "a b", "expected a name"),
        ("", "ingest.exclude", "['a'", "expected a list"),
        ("", "ai.llm_model", "a\nb", "control character"),
        ("[aii]\nx = 1\n", "ai.threads", "4", "unknown section"),
        ("[ai]\nseed = 'x'\n", "ai.threads", "4", "ai.seed is 'x'"),
        ("ai = 3\n", "ai.threads", "4", "[ai] is 3, expected a table"),
        ("x = ", "ai.threads", "4", "not valid TOML"),
    ],
)
def test_nothing_is_written_that_would_not_load(file: Path, present: str, name: str, text: str, says: str) -> None:
    file.write_text(present)
    with pytest.raises(ConfigError) as caught:
        set_value(file, name, text)
    assert says in caught.value.message
    assert file.read_text() == present


def test_a_check_of_the_whole_can_refuse(file: Path) -> None:
    def refuse(settings: Settings) -> None:
        raise ConfigError(f"{settings.ai.threads} will not do")

    with pytest.raises(ConfigError, match="4 will not do"):
        set_value(file, "ai.threads", "4", refuse)
    assert not file.exists()


@promise("config.set.symlink")
def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles.toml"
    target.write_text("# shared\n")
    file.symlink_to(target)
    set_value(file, "ai.threads", "4")
    assert file.is_symlink()
    assert target.read_text() == "# shared\n\n[ai]\nthreads = 4\n"


def test_a_link_that_leads_to_itself_is_an_error(file: Path) -> None:
    file.symlink_to(file)
    with pytest.raises(ConfigError, match=r"config\.toml"):
        set_value(file, "ai.threads", "4")


@promise("config.set.read-only")
@pytest.mark.skipif(sys.platform != "linux", reason="/proc refuses new folders on Linux only")
def test_a_home_that_cannot_be_written_is_an_error() -> None:
    with pytest.raises(StoreError, match="cannot create the folder"):
        set_value(Path("/proc/ourcli-home/config.toml"), "ai.threads", "4")


@pytest.mark.skipif(sys.platform != "linux", reason="/sys refuses new files on Linux only")
def test_a_folder_that_takes_no_new_file_is_an_error() -> None:
    with pytest.raises(StoreError, match="cannot write beside"):
        set_value(Path("/sys/config.toml"), "ai.threads", "4")


@promise("config.set.concurrent")
def test_processes_that_set_at_once_lose_nothing(file: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from ourcli.config.edit import set_value\n"
        "for n in range(5): set_value(Path(sys.argv[1]), sys.argv[2], str(600 + n))"
    )
    keys = ("ai.seed", "ai.max_ctx_tokens")
    started = [subprocess.Popen([sys.executable, "-c", script, str(file), key], stderr=subprocess.PIPE) for key in keys]
    assert [process.communicate()[1] for process in started] == [b"", b""]
    assert read(file).table == {"ai": {"seed": 604, "max_ctx_tokens": 604}}


def _text(value: object) -> str:
    return str(value) if isinstance(value, int | float | str) else tomlkit.item(value).as_string()


_WORDS = st.text(
    st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=["Cs", "Cc"]), max_size=40
)
_SOME = _WORDS.filter(lambda text: bool(text.strip()))
_ANY_VALUE = st.one_of(
    st.tuples(st.just("ai.threads"), st.integers(0, 512)),
    st.tuples(st.just("ai.temperature"), st.floats(0, 2)),
    st.tuples(st.just("memory.inbox"), st.booleans()),
    st.tuples(st.sampled_from(["ai.llm_model", "ai.embed_model", "scheduler.vacuum_cron"]), _SOME),
    st.tuples(st.sampled_from(["paths.db", "paths.models"]), _SOME.filter(lambda text: "://" not in text)),
    st.tuples(st.sampled_from(["ingest.include", "ingest.exclude"]), st.lists(_SOME, max_size=4)),
    st.tuples(st.just("project"), st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)),
)


@promise("config.set.reads-back")
@settings(max_examples=60, deadline=None)
@given(changes=st.lists(_ANY_VALUE, min_size=1, max_size=3))
def test_what_is_set_reads_back_and_comments_survive(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, object]]
) -> None:
    file = tmp_path_factory.getbasetemp() / "property.toml"
    file.write_text(COMMENTED)
    for name, value in changes:
        set_value(file, name, _text(value))
    table = read(file).table
    for name, value in dict(changes).items():
        section, _, field = name.rpartition(".")
        found = table[section] if section else table
        assert isinstance(found, dict)
        assert found[field] == value
    for comment in ("# My settings.", "# my own", "# the models", "# leave one core free", "# Where", "# Files."):
        assert comment in file.read_text()
