"""Which files are found, and how they are read."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ourcli.common.errors import InvalidInputError
from ourcli.memory.backends.walker import DiskTree
from ourcli.memory.ingest.ports import FileTree
from ourcli.testing.files import MemoryTree
from tests.promises import promise

Planter = Callable[[dict[str, bytes]], FileTree]
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs links, pipes and free file names")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "tree"
    folder.mkdir()
    return folder


def plant(root: Path, files: dict[str, str]) -> DiskTree:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return DiskTree()


def names(root: Path, tree: FileTree, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> list[str]:
    return [path.relative_to(root).as_posix() for path in tree.find([root], include, exclude).files]


@pytest.fixture(params=["disk", "memory"])
def any_tree(request: pytest.FixtureRequest, root: Path) -> FileTree:
    """Plant the same three files on disk and in the fake."""
    texts = {"b.md": "bee", "a.md": "ay", "sub/c.txt": "see"}
    if request.param == "disk":
        return plant(root, texts)
    return MemoryTree({root / name: text.encode() for name, text in texts.items()})


def test_a_path_that_does_not_exist_is_named(any_tree: FileTree, root: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"nowhere\.md' does not exist"):
        any_tree.roots([root, root / "nowhere.md"])


def test_a_file_that_is_gone_cannot_be_read(any_tree: FileTree, root: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"gone\.md: cannot be read"):
        any_tree.read(root / "gone.md", 100)


def test_files_come_sorted_and_once_though_roots_overlap(any_tree: FileTree, root: Path) -> None:
    roots = any_tree.roots([root / "sub", root, root / "a.md"])

    found = any_tree.find(roots, (), ())

    assert [path.relative_to(root).as_posix() for path in found.files] == ["a.md", "b.md", "sub/c.txt"]
    assert found.problems == ()


def test_patterns_choose_but_a_named_file_is_always_read(any_tree: FileTree, root: Path) -> None:
    found = any_tree.find([root, root / "sub/c.txt"], ("*.md",), ("b*",))

    assert [path.name for path in found.files] == ["a.md", "c.txt"]


def test_content_is_whole_or_not_at_all(any_tree: FileTree, root: Path) -> None:
    content = any_tree.read(root / "b.md", 3)

    assert content.data == b"bee"
    assert content.modified.tzinfo is not None
    assert any_tree.read(root / "b.md", 2).data is None
    assert any_tree.exists(root / "b.md")
    assert not any_tree.exists(root / "gone.md")


@promise("memory.ingest.ignore-files")
def test_ignore_files_count_at_every_depth_and_outside_of_repositories(root: Path) -> None:
    tree = plant(
        root,
        {
            ".gitignore": "*.log\nbuild/\n",
            ".git/info/exclude": "private.md\n",
            "docs/.gitignore": "!kept.log\ndraft*\n",
            "docs/.ignore": "quiet.md\n",
            ".hidden.md": "",
            ".cache/x.md": "",
            **dict.fromkeys(["a.md", "a.log", "build/o.md", "private.md", "docs/kept.log", "docs/x.log"], "text"),
            **dict.fromkeys(["docs/draft.md", "docs/quiet.md", "docs/b.md"], "text"),
        },
    )

    assert names(root, tree) == ["a.md", "docs/b.md", "docs/kept.log"]
    assert [path.name for path in tree.find([root / "a.log"], (), ()).files] == ["a.log"]


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (("*.md",), (), ["a.md", "docs/b.md", "docs/old/c.md"]),
        (("docs/",), (), ["docs/b.md", "docs/old/c.md", "docs/x.py"]),
        (("/docs/*.md",), (), ["docs/b.md"]),
        (("*.md", "!old/"), (), ["a.md", "docs/b.md"]),
        ((), ("docs",), ["a.md", "z.py"]),
        ((), ("*.md", "!b.md"), ["docs/b.md", "docs/x.py", "z.py"]),
        (("*.log",), (), []),
        (("# a comment", "", "*.py"), ("/z*",), ["docs/x.py"]),
    ],
)
def test_patterns_mean_what_they_mean_in_gitignore(
    root: Path, include: tuple[str, ...], exclude: tuple[str, ...], expected: list[str]
) -> None:
    tree = plant(
        root,
        {".gitignore": "*.log"}
        | dict.fromkeys(["a.md", "z.py", "x.log", "docs/b.md", "docs/x.py", "docs/old/c.md"], ""),
    )

    assert names(root, tree, include, exclude) == expected


def test_a_broken_pattern_is_named(root: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"the pattern 'a\[' is not valid"):
        DiskTree().find([root], (), ("a[",))


@posix
def test_links_pipes_and_odd_names_are_left_out(root: Path) -> None:
    tree = plant(root, {"a.md": "text", "sub/b.md": "text"})
    (root / "link.md").symlink_to(root / "a.md")
    (root / "loop").symlink_to(root)
    (root / "broken").symlink_to(root / "nowhere")
    os.mkfifo(root / "pipe.md")
    Path(os.fsdecode(os.fsencode(root) + b"/bad\xff.md")).touch()

    found = tree.find([root], (), ())

    assert [path.name for path in found.files] == ["a.md", "b.md"]
    assert len(found.problems) == 1
    assert "not valid Unicode" in found.problems[0]


@posix
def test_a_link_or_pipe_that_takes_a_files_place_is_neither_followed_nor_waited_for(root: Path) -> None:
    tree = plant(root, {"a.md": "text"})
    (root / "link.md").symlink_to(root / "a.md")
    os.mkfifo(root / "pipe.md")

    with pytest.raises(InvalidInputError, match="cannot be read"):
        tree.read(root / "link.md", 100)
    with pytest.raises(InvalidInputError, match="not a regular file"):
        tree.read(root / "pipe.md", 100)


@posix
def test_a_link_that_the_user_names_leads_to_its_file(root: Path) -> None:
    tree = plant(root, {"real/a.md": "text"})
    (root / "link").symlink_to(root / "real")

    assert tree.roots([root / "link", root / "real"]) == (root / "real", root / "real")


def test_the_home_of_ourcli_is_never_read(root: Path) -> None:
    plant(root, {"a.md": "text", "home/events.jsonl": "{}"})

    assert names(root, DiskTree(off_limits=[root / "home"])) == ["a.md"]


@contextmanager
def not_root() -> Iterator[Path]:
    """Yield a folder, as a user whom modes can stop: root becomes nobody for the time being."""
    nobody = 65534
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() != 0:
            yield Path(folder)
            return
        try:
            os.chown(folder, nobody, nobody)
            os.seteuid(nobody)
        except OSError as exc:  # a user namespace that knows root only
            pytest.skip(f"root cannot become another user here: {exc}; run the suite outside of the namespace")
        try:
            yield Path(folder)
        finally:
            os.seteuid(0)


@posix
def test_a_folder_that_cannot_be_opened_is_a_problem_and_the_rest_is_read() -> None:
    with not_root() as root:
        tree = plant(root, {"a.md": "text", "shut/b.md": "text"})
        (root / "shut").chmod(0)

        found = tree.find([root], (), ())
        (root / "shut").chmod(0o700)

    assert [path.name for path in found.files] == ["a.md"]
    assert "shut" in found.problems[0]
