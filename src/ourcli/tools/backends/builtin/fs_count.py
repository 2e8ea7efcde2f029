"""`fs.count`: lines, words, characters and bytes of files."""

import os
import stat
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from typing import Final

from ourcli.common.errors import DeniedError, ToolError
from ourcli.tools.backends.builtin.describing import TEXT, WHOLE, a_list, a_text, an_object, described
from ourcli.tools.backends.builtin.file_tool import Patience
from ourcli.tools.backends.builtin.fs_read import read_all
from ourcli.tools.backends.builtin.given import text
from ourcli.tools.backends.builtin.globs import matcher
from ourcli.tools.backends.builtin.reach import Reach
from ourcli.tools.backends.builtin.text import decoded
from ourcli.tools.backends.builtin.walking import Choice, walk
from ourcli.tools.data import Json, JsonObject
from ourcli.tools.spec import ToolExample

MOST_FILES: Final = 1_000
_COUNTS: Final[dict[str, JsonObject]] = {"lines": WHOLE, "words": WHOLE, "characters": WHOLE, "bytes": WHOLE}

SPEC: Final = described(
    "fs.count",
    "Count the lines, words, characters and bytes of a text file, or of every text file in a folder.",
    takes=an_object(
        {"path": a_text("A file or folder"), "glob": a_text("In a folder: only names that fit, such as *.md")}, ["path"]
    ),
    gives=an_object(
        {
            "files": a_list(an_object({"path": TEXT, **_COUNTS})),
            "total": an_object({"files": WHOLE, **_COUNTS}),
            "files_skipped": WHOLE,
            "truncated": {"type": "boolean"},
        }
    ),
    examples=(
        ToolExample(input={"path": "README.md"}, description="how many words are in README.md"),
        ToolExample(input={"path": "docs", "glob": "*.md"}, description="how long the documentation is"),
    ),
    timeout_s=30.0,
)


@dataclass(frozen=True, slots=True)
class _Count:
    lines: int = 0
    words: int = 0
    characters: int = 0
    bytes: int = 0

    def __add__(self, other: "_Count") -> "_Count":
        return _Count(*(mine + more for mine, more in zip(astuple(self), astuple(other), strict=True)))

    def as_json(self) -> dict[str, Json]:
        """Return it as the tool answers it."""
        return {"lines": self.lines, "words": self.words, "characters": self.characters, "bytes": self.bytes}


def count(given: JsonObject, reach: Reach, patience: Patience) -> JsonObject:
    """Return the counts of each file and of all together; files that are not text are skipped in folders."""
    asked = text(given, "path")
    with reach.looking(asked) as (descriptor, _path):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
    files: list[Json] = []
    total, skipped, truncated = _Count(), 0, False
    for path in _below(given, reach, patience) if is_folder else [reach.absolute(asked)]:
        patience.check()
        if len(files) == MOST_FILES:
            truncated = True
            break
        try:
            counted = _counted(path, reach)
        except (ToolError, DeniedError):
            if not is_folder:
                raise
            skipped += 1
            continue
        files.append({"path": reach.shown(path), **counted.as_json()})
        total += counted
    counts: JsonObject = {"files": len(files), **total.as_json()}
    return {"files": files, "total": dict(counts), "files_skipped": skipped, "truncated": truncated}


def _below(given: JsonObject, reach: Reach, patience: Patience) -> Iterator[str]:
    root, glob = reach.absolute(text(given, "path")), text(given, "glob")
    choice = Choice(fits=matcher(glob) if glob else None)
    found = [entry.path for entry in walk(root, choice, patience) if entry.is_file]
    yield from (f"{root.rstrip('/')}/{one}" for one in sorted(found))


def _counted(path: str, reach: Reach) -> _Count:
    with reach.reading(path) as (descriptor, true):
        data = read_all(descriptor, true)
    found = decoded(data)
    if found is None:
        raise ToolError(f"{true!r} is not text", hint=f"it has {len(data)} bytes")
    lines = found.text.count("\n") + (1 if found.text and not found.text.endswith("\n") else 0)
    return _Count(lines, len(found.text.split()), len(found.text), len(data))
