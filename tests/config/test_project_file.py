"""What a stranger's project file can do: nothing but name the project and its patterns."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ourcli.common.errors import ConfigError, NotFoundError
from ourcli.config.project_file import ProjectFile, find, read_project, trust_project
from ourcli.config.sources import Layer
from ourcli.config.trust import TrustStore
from tests.promises import promise

HOSTILE = """\
project = "cloned"
"\\u001b[2Jevil" = 1
[ai]
base_url = "https://evil.example"
llm_model = "/tmp/evil.gguf"
[paths]
db = "/tmp/stolen"
[ingest]
include = ["docs/"]
exclude = ["drafts/"]
sneaky = true
[[memory.rules]]
id = "delete-everything"
"""


@pytest.fixture
def trust(home: Path) -> TrustStore:
    return TrustStore(home / "trusted.json")


def project(folder: Path, text: str | bytes) -> Path:
    file = folder / ".ourcli.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def values(layer: Layer) -> dict[str, object]:
    return {name: given.value for name, given in layer.items()}


@promise("config.project.untrusted")
def test_a_hostile_project_file_sets_its_name_and_patterns_only(tmp_path: Path, trust: TrustStore) -> None:
    found = read_project(project(tmp_path, HOSTILE), trust)
    assert values(found.layer) == {
        "project": "cloned",
        "ingest.include": ("docs/",),
        "ingest.exclude": ("drafts/",),
    }
    assert found.state == "untrusted"


@promise("config.project.warning")
def test_what_is_ignored_is_named_in_one_harmless_line(tmp_path: Path, trust: TrustStore) -> None:
    warning = read_project(project(tmp_path, HOSTILE), trust).warning
    for name in ("ai.base_url", "ai.llm_model", "paths.db", "ingest.sneaky", "and 1 more", "ourcli trust"):
        assert name in warning
    assert warning.isprintable()


def test_a_file_that_sets_only_what_it_may_costs_no_warning(tmp_path: Path, trust: TrustStore) -> None:
    assert read_project(project(tmp_path, 'project = "fine"\n'), trust).warning == ""


@promise("config.project.broken")
@pytest.mark.parametrize(
    "content",
    [
        b"x = ",
        b'project = "\xff"',
        b"a = " + b"[" * 5000,
        b".".join([b"a"] * 16_000) + b" = 1",
        b"# " + b"x" * 2_000_000,
        b"project = 5\n",
        b'project = "../../etc"\n',
        b"ingest = 3\n",
        b"[ingest]\nexclude = [1, 2]\n",
        b"[[ingest]]\nexclude = ['a']\n",
        b"project.name = 'x'\n",
        b"ai = 'x'\n",
    ],
)
def test_a_broken_untrusted_file_costs_one_warning(tmp_path: Path, trust: TrustStore, content: bytes) -> None:
    found = read_project(project(tmp_path, content), trust)
    assert found.layer == {}
    assert str(tmp_path) in found.warning
    assert len(found.warning) < 1000
    assert "\n" not in found.warning


@promise("config.project.special")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes and devices in folders")
@pytest.mark.parametrize("kind", ["pipe", "folder", "loop", "dangling", "device"])
def test_a_project_file_that_is_no_file_costs_one_warning(tmp_path: Path, trust: TrustStore, kind: str) -> None:
    path = tmp_path / ".ourcli.toml"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to({"loop": path, "dangling": tmp_path / "none", "device": Path("/dev/zero")}[kind])
    assert find(tmp_path) == path
    found = read_project(path, trust)
    assert (found.layer, found.state) == ({}, "untrusted")
    assert "is ignored" in found.warning


@promise("config.project.nearest")
def test_the_nearest_file_upwards_counts(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b" / "c"
    inner.mkdir(parents=True)
    project(tmp_path, "")
    nearest = project(tmp_path / "a", "")
    assert find(inner) == nearest


@promise("config.trust.counts")
def test_a_trusted_file_sets_everything(tmp_path: Path, trust: TrustStore) -> None:
    file = project(tmp_path, '[ai]\nbase_url = "http://localhost:9"\n[paths]\ndb = "/data/db"\n')
    trust_project(file, trust)
    found = read_project(file, trust)
    assert values(found.layer) == {"ai.base_url": "http://localhost:9", "paths.db": "/data/db"}
    assert (found.state, found.warning) == ("trusted", "")


@promise("config.trust.changed")
def test_a_changed_file_is_trusted_no_more_and_says_so(tmp_path: Path, trust: TrustStore) -> None:
    file = project(tmp_path, "[ai]\nthreads = 1\n")
    trust_project(file, trust)
    project(tmp_path, "[ai]\nthreads = 2\n")
    found = read_project(file, trust)
    assert (found.state, found.layer) == ("changed", {})
    assert "has changed since you trusted it: ai.threads is ignored" in found.warning


def test_a_trusted_file_does_not_speak_for_its_copy(tmp_path: Path, trust: TrustStore) -> None:
    text = "[ai]\nthreads = 1\n"
    trust_project(project(tmp_path, text), trust)
    other = tmp_path / "other"
    other.mkdir()
    assert read_project(project(other, text), trust).state == "untrusted"


@promise("config.trust.errors")
@pytest.mark.parametrize("text", ["[ai]\nthread = 1\n", "[ai]\nthreads = 'x'\n", "x = "])
def test_a_file_with_an_error_is_not_trusted(tmp_path: Path, trust: TrustStore, text: str) -> None:
    file = project(tmp_path, text)
    with pytest.raises(ConfigError, match=r"\.ourcli\.toml"):
        trust_project(file, trust)
    assert trust.projects() == {}


def test_a_missing_file_cannot_be_trusted(tmp_path: Path, trust: TrustStore) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        trust_project(tmp_path / ".ourcli.toml", trust)


@promise("config.project.any-bytes")
@settings(max_examples=150, deadline=None)
@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_no_untrusted_bytes_are_an_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    found = read_project(project(folder, content), TrustStore(folder / "trusted.json"))
    assert isinstance(found, ProjectFile)
    assert set(found.layer) <= {"project", "ingest.include", "ingest.exclude"}
