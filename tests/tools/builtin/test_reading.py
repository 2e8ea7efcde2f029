"""`fs.read`, `fs.list`, `fs.count` and `fs.search`: what is there, bounded."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from ourcli.common.errors import ToolError, ToolInputError, ToolTimeoutError
from ourcli.testing.clock import FrozenClock
from ourcli.tools.backends.builtin import fs_read, fs_search
from ourcli.tools.backends.builtin.file_tool import Patience
from ourcli.tools.backends.builtin.globs import matcher
from ourcli.tools.backends.builtin.walking import Choice, walk
from ourcli.tools.data import Json
from tests.promises import promise
from tests.support.builtin import NOW, Workshop, a_workshop

pytestmark = pytest.mark.anyio


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Return a small project."""
    shop = a_workshop(tmp_path, "fs:read={}")
    files = {
        ".gitignore": "build/\n*.log\n",
        ".hidden/secret.py": "retry hidden\n",
        "README.md": "# Read me\n\nFour words are here\n",
        "app.py": "def main():\n    retry = 3\n    return retry\n",
        "build/out.py": "retry built\n",
        "debug.log": "retry log\n",
        "src/core.py": "RETRY = 5\nclass Retry:\n    pass\n",
        "src/note.txt": "nothing to see",
    }
    for name, text in files.items():
        (shop.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (shop.folder / name).write_text(text)
    (shop.folder / "binary.bin").write_bytes(b"retry\0\1\2")
    return shop


def _rows(value: Json) -> list[dict[str, Json]]:
    return cast("list[dict[str, Json]]", value)


async def test_lines_that_are_not_there_are_refused(workshop: Workshop) -> None:
    with pytest.raises(ToolInputError, match="behind the last line"):
        await workshop.call("fs.read", path="app.py", first_line=9)
    with pytest.raises(ToolInputError, match="before the first"):
        await workshop.call("fs.read", path="app.py", first_line=3, last_line=2)


@promise("tools.builtin.files-read")
async def test_a_binary_file_and_one_that_is_not_there_are_refused_in_words(workshop: Workshop) -> None:
    with pytest.raises(ToolError, match="is not text"):
        await workshop.call("fs.read", path="binary.bin")
    with pytest.raises(ToolError, match="there is no"):
        await workshop.call("fs.read", path="nothing.txt")
    with pytest.raises(ToolError, match="is not text"):
        await workshop.call("fs.count", path="binary.bin")


@promise("tools.builtin.files-read")
async def test_some_lines_of_a_file_are_read_with_the_number_of_all(workshop: Workshop) -> None:
    read = await workshop.call("fs.read", path="app.py", first_line=2, last_line=2)

    assert read["text"] == "    retry = 3\n"
    assert (read["first_line"], read["last_line"], read["total_lines"], read["truncated"]) == (2, 2, 3, False)


@promise("tools.builtin.files-read")
@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (b"", "", "utf-8"),
        (b"no end", "no end", "utf-8"),
        (b"a\r\nb\r\n", "a\r\nb\r\n", "utf-8"),
        ("\ufeffémoji 🎈\n".encode(), "émoji 🎈\n", "utf-8"),
        ("\ufeffwide\n".encode("utf-16-le"), "wide\n", "utf-16-le"),
        ("Grüße aus Köln, schöne Größe für Bücher\n".encode("cp1252"), "Grüße aus Köln, schöne Größe für Bücher\n", ""),
    ],
)
async def test_text_is_read_in_its_own_encoding(workshop: Workshop, data: bytes, text: str, encoding: str) -> None:
    (workshop.folder / "text.txt").write_bytes(data)

    read = await workshop.call("fs.read", path="text.txt")

    assert read["text"] == text
    assert encoding in ("", read["encoding"])


async def test_a_text_that_is_too_long_is_cut_at_a_line_and_says_so(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fs_read, "MOST_CHARACTERS", 20)

    read = await workshop.call("fs.read", path="app.py")

    assert (read["text"], read["last_line"], read["total_lines"], read["truncated"]) == ("def main():", 1, 3, True)


@promise("tools.builtin.files-read")
async def test_words_lines_characters_and_bytes_of_a_file_are_counted(workshop: Workshop) -> None:
    (workshop.folder / "README.md").write_text("Zwölf Wörter\n\nund 🎈 mehr", "utf-8")

    counted = await workshop.call("fs.count", path="README.md")

    size = (workshop.folder / "README.md").stat().st_size
    assert counted["files"] == [{"path": "README.md", "lines": 3, "words": 5, "characters": 24, "bytes": size}]
    assert counted["total"] == {"files": 1, "lines": 3, "words": 5, "characters": 24, "bytes": size}


async def test_a_folder_is_counted_without_what_is_ignored_hidden_or_no_text(workshop: Workshop) -> None:
    counted = await workshop.call("fs.count", path=".")

    assert [one["path"] for one in _rows(counted["files"])] == ["README.md", "app.py", "src/core.py", "src/note.txt"]
    assert counted["files_skipped"] == 1


@promise("tools.builtin.files-read")
async def test_a_folder_is_listed_without_what_is_hidden_or_ignored_unless_asked_for(workshop: Workshop) -> None:
    (workshop.folder / "link").symlink_to("app.py")
    os.mkfifo(workshop.folder / "pipe")

    plain = await workshop.call("fs.list")
    everything = await workshop.call("fs.list", hidden=True, ignored=True)

    kinds = {str(one["path"]): one["kind"] for one in _rows(plain["entries"])}
    assert kinds == {
        "README.md": "file",
        "app.py": "file",
        "binary.bin": "file",
        "link": "link",
        "pipe": "other",
        "src": "folder",
    }
    assert {".gitignore", ".hidden", "build", "debug.log"} <= {str(one["path"]) for one in _rows(everything["entries"])}


async def test_a_list_is_bounded_and_says_so(workshop: Workshop) -> None:
    listed = await workshop.call("fs.list", recursive=True, glob="*.py", limit=1)

    assert ([one["path"] for one in _rows(listed["entries"])], listed["truncated"]) == (["app.py"], True)


@promise("tools.builtin.search")
@pytest.mark.parametrize(
    ("given", "lines"),
    [
        ({"pattern": "retry"}, ["app.py:2", "app.py:3", "src/core.py:1", "src/core.py:2"]),
        ({"pattern": "Retry"}, ["src/core.py:2"]),
        ({"pattern": "Retry", "case": "ignore"}, ["app.py:2", "app.py:3", "src/core.py:1", "src/core.py:2"]),
        ({"pattern": "retry", "case": "sensitive"}, ["app.py:2", "app.py:3"]),
        ({"pattern": r"^\s+return"}, ["app.py:3"]),
        ({"pattern": r"\Wretry\W"}, ["app.py:2", "src/core.py:2"]),
        ({"pattern": "main()", "literal": True}, ["app.py:1"]),
        ({"pattern": "retry", "glob": "core.*"}, ["src/core.py:1", "src/core.py:2"]),
        ({"pattern": "retry", "glob": "src/**"}, ["src/core.py:1", "src/core.py:2"]),
        ({"pattern": "retry", "path": "src/core.py"}, ["src/core.py:1", "src/core.py:2"]),
        ({"pattern": "retry", "hidden": True, "path": ".hidden"}, [".hidden/secret.py:1"]),
        ({"pattern": "retry", "ignored": True, "path": "build"}, ["build/out.py:1"]),
        ({"pattern": "built|log"}, []),
        ({"pattern": "see$"}, ["src/note.txt:1"]),
    ],
)
async def test_lines_are_found_as_ripgrep_finds_them(
    workshop: Workshop, given: Mapping[str, Json], lines: list[str]
) -> None:
    found = await workshop.call("fs.search", **given)

    assert [f"{one['path']}:{one['line']}" for one in _rows(found["matches"])] == lines


async def test_context_stands_around_a_match(workshop: Workshop) -> None:
    found = await workshop.call("fs.search", pattern="retry = 3", context=5)

    only = _rows(found["matches"])[0]
    assert (only["before"], only["after"]) == (["def main():"], ["    return retry"])


async def test_a_search_stops_at_its_limit_and_says_so(workshop: Workshop) -> None:
    found = await workshop.call("fs.search", pattern="retry", limit=2)

    assert (len(_rows(found["matches"])), found["truncated"]) == (2, True)


@pytest.mark.parametrize("pattern", ["(", "[a", "a{2", "(?=a)", r"(a)\1", "a\nb", "", "x" * 2000])
async def test_what_is_no_pattern_is_refused(workshop: Workshop, pattern: str) -> None:
    if pattern == "a{2":  # RE2 takes it as the text itself, as ripgrep's engine does not
        assert (await workshop.call("fs.search", pattern=pattern))["matches"] == []
        return
    with pytest.raises(ToolInputError, match="'pattern' is no"):
        await workshop.call("fs.search", pattern=pattern)


@promise("tools.builtin.search-linear")
@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*)*b$", "(a?){200}a{200}$"])
async def test_patterns_that_would_take_ages_elsewhere_end_here(workshop: Workshop, pattern: str) -> None:
    (workshop.folder / "long.txt").write_text("a" * 200_000 + "!\n")

    found = await workshop.call("fs.search", pattern=pattern, path="long.txt")

    assert found["matches"] == []


async def test_a_wide_encoding_is_searched_and_a_file_that_is_too_large_is_skipped(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fs_search, "MOST_FILE_BYTES", 100)
    (workshop.folder / "wide.txt").write_bytes("\ufeffthe needle\n".encode("utf-16-le"))
    (workshop.folder / "large.txt").write_text("needle\n" * 100)

    found = await workshop.call("fs.search", pattern="needle")

    assert [one["path"] for one in _rows(found["matches"])] == ["wide.txt"]
    assert found["files_skipped"] == 2


async def test_a_walk_ends_when_its_time_is_over(workshop: Workshop) -> None:
    clock = FrozenClock(NOW)
    patience = Patience(clock, 1.0)
    clock.passed_s = 2.0

    with pytest.raises(ToolTimeoutError):
        list(walk(str(workshop.folder), Choice(), patience))


@pytest.mark.parametrize(
    ("pattern", "fitting", "other"),
    [
        ("*.py", ["a.py", "x/y/b.py"], ["a.pyc", "py"]),
        ("src/*.py", ["src/a.py"], ["src/x/a.py", "a.py"]),
        ("src/**/*.py", ["src/a.py", "src/x/y/a.py"], ["lib/a.py"]),
        ("**/test_?.py", ["test_a.py", "x/test_b.py"], ["test_ab.py"]),
        ("*.{md,txt}", ["a.md", "b.txt"], ["c.rst"]),
        ("[!a]*.c", ["b.c"], ["a.c"]),
        ("a+b(1).txt", ["a+b(1).txt"], ["aab1.txt"]),
    ],
)
def test_globs_fit_as_in_gitignore(pattern: str, fitting: list[str], other: list[str]) -> None:
    fits = matcher(pattern)

    assert [one for one in fitting + other if fits(one)] == fitting


@pytest.mark.parametrize("pattern", ["", "/", "[a", "{a,b", "a\0b", "x" * 300])
def test_what_is_no_glob_is_refused(pattern: str) -> None:
    with pytest.raises(ToolInputError, match="'glob'"):
        matcher(pattern)
