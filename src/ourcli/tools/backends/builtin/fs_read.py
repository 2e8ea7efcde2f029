"""`fs.read`: a text file, or lines of it."""

import hashlib
import os
from typing import Final

from ourcli.common.errors import ToolError
from ourcli.tools.backends.builtin.describing import TEXT, WHOLE, a_number, a_text, an_object, described
from ourcli.tools.backends.builtin.file_tool import Patience
from ourcli.tools.backends.builtin.given import number, refused, text
from ourcli.tools.backends.builtin.reach import Reach
from ourcli.tools.backends.builtin.text import text_of
from ourcli.tools.data import JsonObject
from ourcli.tools.spec import ToolExample

MOST_FILE_BYTES: Final = 64 * 1024 * 1024
MOST_CHARACTERS: Final = 200_000
_LAST: Final = 2**31

SPEC: Final = described(
    "fs.read",
    "Read a text file, whole or some of its lines. Says how many lines there are and which of them it shows.",
    takes=an_object(
        {
            "path": a_text("The file"),
            "first_line": a_number("First line to read, counted from 1", 1, _LAST, 1),
            "last_line": a_number("Last line to read", 1, _LAST, _LAST),
        },
        ["path"],
    ),
    gives=an_object(
        {
            "path": TEXT,
            "text": TEXT,
            "first_line": WHOLE,
            "last_line": WHOLE,
            "total_lines": WHOLE,
            "encoding": TEXT,
            "size_bytes": WHOLE,
            "sha256": TEXT,
            "truncated": {"type": "boolean"},
        }
    ),
    examples=(
        ToolExample(input={"path": "README.md"}, description="a whole file"),
        ToolExample(input={"path": "src/app.py", "first_line": 10, "last_line": 40}, description="31 lines of it"),
    ),
)


def read(given: JsonObject, reach: Reach, _patience: Patience) -> JsonObject:
    """Return the text of lines; `truncated` where they were too many."""
    first, last = number(given, "first_line", 1), number(given, "last_line", _LAST)
    if last < first:
        raise refused("last_line", "comes before the first one")
    with reach.reading(text(given, "path")) as (descriptor, path):
        data = read_all(descriptor, path)
    found = text_of(data, path)
    lines = found.text.split("\n")
    if lines[-1] == "":
        lines.pop()  # what follows the last line's end is no line
    wanted = lines[first - 1 : last]
    if not wanted and first > 1:
        raise refused("first_line", f"is behind the last line of {path!r}, which has {len(lines)}")
    shown, truncated = _bounded(wanted)
    ends = "\n" if found.text.endswith("\n") or first - 1 + len(shown) < len(lines) else ""
    return {
        "path": path,
        "text": "\n".join(shown) + (ends if shown and not truncated else ""),
        "first_line": first,
        "last_line": first - 1 + len(shown),
        "total_lines": len(lines),
        "encoding": found.encoding,
        "size_bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "truncated": truncated,
    }


def read_all(descriptor: int, path: str, most_bytes: int = MOST_FILE_BYTES) -> bytes:
    """Return what an open file holds.

    Raises:
        ToolError: It is too large, or cannot be read.
    """
    try:
        with os.fdopen(os.dup(descriptor), "rb") as stream:
            data = stream.read(most_bytes + 1)
    except OSError as exc:
        raise ToolError(f"{path!r} cannot be read: {exc.strerror or exc}") from exc
    if len(data) > most_bytes:
        raise ToolError(f"{path!r} is larger than {most_bytes >> 20} MiB", hint="fs.search finds lines in it")
    return data


def _bounded(lines: list[str]) -> tuple[list[str], bool]:
    """Return the lines that are shown, of which one that is too long is cut, and whether something lacks."""
    shown: list[str] = []
    room = MOST_CHARACTERS
    for line in lines:
        if len(line) >= room:
            return (shown if shown else [line[:room]]), True
        shown.append(line)
        room -= len(line) + 1
    return shown, False
