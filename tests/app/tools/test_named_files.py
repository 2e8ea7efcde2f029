"""Files that a question names: what may be read without asking again, and what may not."""

from pathlib import Path

import pytest

from ourcli.app.tools.named_files import named_files
from tests.promises import promise


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a working directory with files in it and a link that leads out of it."""
    made = tmp_path / "work"
    (made / "docs").mkdir(parents=True)
    for name in ("README.md", "Makefile", "notes", "docs/a b.txt"):
        (made / name).write_text("x")
    (tmp_path / "secret.txt").write_text("x")
    (made / "out.txt").symlink_to(tmp_path / "secret.txt")
    (made / "in.txt").symlink_to(made / "README.md")
    (made / "loop.txt").symlink_to(made / "loop.txt")
    return made


@promise("tools.ask.named-files")
@pytest.mark.parametrize(
    "question",
    [
        "",
        "a . .. / ./ ../ ~ ~nobody-here/x",
        "the notes and docs",
        "x" * 100_000,
        "\0.md",
        "a" * 300 + ".md",
        "https://a.org/README.md",
        "1.5 or v2",
    ],
)
def test_words_that_name_no_file_name_none(folder: Path, question: str) -> None:
    assert [one.text for one in named_files(question, folder) if one.path.exists()] == []


@promise("tools.ask.named-files")
@pytest.mark.parametrize(
    ("question", "text", "inside"),
    [
        ("how many words are in README.md?", "README.md", True),
        ("what does (./README.md) say", "./README.md", True),
        ("what targets has Makefile", "Makefile", True),
        ("count the words in 'notes'", "notes", True),
        ('read "docs/a b.txt"', "docs/a b.txt", True),
        ("which files are in docs/?", "docs/", True),
        ("how long is gone.md?", "gone.md", True),
        ("read ../secret.txt", "../secret.txt", False),
        ("read out.txt now", "out.txt", False),
        ("read /etc/passwd", "/etc/passwd", False),
    ],
)
def test_only_what_lies_below_the_working_directory_may_be_read_unasked(
    folder: Path,
    question: str,
    text: str,
    inside: bool,
) -> None:
    (found,) = named_files(question, folder)
    assert (found.text, found.inside) == (text, inside)
    assert str(found.right()) == f"fs:read={(folder / text).resolve()}"


def test_a_link_inside_is_told_as_one(folder: Path) -> None:
    (found,) = named_files("read in.txt", folder)
    assert (found.inside, found.linked, found.path) == (True, True, (folder / "README.md").resolve())


def test_no_more_than_a_few_are_named(folder: Path) -> None:
    assert len(named_files(" ".join(f"f{at}.md" for at in range(50)), folder)) == 8


@promise("tools.ask.named-files")
@pytest.mark.parametrize("name", [".env", ".ssh/id_rsa", "docs/.netrc", "docs/shown.txt"])
def test_a_hidden_file_is_not_read_unasked_by_any_name(folder: Path, name: str) -> None:
    (folder / ".ssh").mkdir()
    for hidden in (".env", ".ssh/id_rsa", "docs/.netrc"):
        (folder / hidden).write_text("x")
    (folder / "docs" / "shown.txt").symlink_to(folder / ".env")

    (found,) = named_files(f"what is in `{name}`?", folder)

    assert (found.text, found.inside) == (name, False)
