"""`fs.search`: lines of files that match a pattern, found as ripgrep finds them."""

import os
import stat
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from ourcli.common.errors import DeniedError, ToolError, ToolTimeoutError
from ourcli.tools.backends.builtin.describing import (
    TEXT,
    WHOLE,
    a_list,
    a_number,
    a_switch,
    a_text,
    an_object,
    described,
)
from ourcli.tools.backends.builtin.file_tool import Patience
from ourcli.tools.backends.builtin.fs_read import read_all
from ourcli.tools.backends.builtin.given import flag, number, text
from ourcli.tools.backends.builtin.globs import matcher
from ourcli.tools.backends.builtin.reach import Reach
from ourcli.tools.backends.builtin.regex import finder, has_capitals
from ourcli.tools.backends.builtin.text import decoded
from ourcli.tools.backends.builtin.walking import Choice, walk
from ourcli.tools.data import Json, JsonObject
from ourcli.tools.spec import ToolExample

MOST_FILE_BYTES: Final = 16 * 1024 * 1024
MOST_MATCHES: Final = 1_000
MOST_LINE: Final = 400
MOST_CONTEXT: Final = 20
_MOST_OUTPUT: Final = 200_000
_PROBE: Final = 8192

SPEC: Final = described(
    "fs.search",
    "Find lines in files by a regular expression (RE2), as ripgrep does: smart case, .gitignore honoured, hidden and "
    "binary files left out.",
    takes=an_object(
        {
            "pattern": a_text("What to look for"),
            "path": a_text("A folder or a file", default="."),
            "glob": a_text("Only files whose names fit, such as *.py"),
            "literal": a_switch("The pattern is the text itself, no expression"),
            "case": {
                "enum": ["smart", "sensitive", "ignore"],
                "description": "smart: capitals count when the pattern has one",
                "default": "smart",
            },
            "context": a_number("Lines to show before and after each match", 0, MOST_CONTEXT, 0),
            "hidden": a_switch("Hidden files too"),
            "ignored": a_switch("Files that .gitignore names too"),
            "limit": a_number("So many matching lines at most", 1, MOST_MATCHES, 100),
        },
        ["pattern"],
    ),
    gives=an_object(
        {
            "matches": a_list(
                an_object(
                    {"path": TEXT, "line": WHOLE, "text": TEXT, "before": a_list(TEXT), "after": a_list(TEXT)},
                    ["path", "line", "text"],
                )
            ),
            "files_searched": WHOLE,
            "files_skipped": WHOLE,
            "truncated": {"type": "boolean"},
        }
    ),
    examples=(
        ToolExample(input={"pattern": "def main"}, description="where main is defined, below here"),
        ToolExample(input={"pattern": "TODO|FIXME", "path": "src", "glob": "*.py", "context": 2}),
    ),
    timeout_s=30.0,
)

Find = Callable[[bytes], Iterator[int]]


@dataclass(slots=True, kw_only=True)
class _Search:
    """What is looked for, and what was found so far."""

    find: Find
    context: int
    limit: int
    matches: list[Json] = field(default_factory=list)
    searched: int = 0
    skipped: int = 0
    room: int = _MOST_OUTPUT
    truncated: bool = False


def search(given: JsonObject, reach: Reach, patience: Patience) -> JsonObject:
    """Return matching lines with their places, files in the order of their names."""
    pattern, case = text(given, "pattern"), text(given, "case", "smart")
    literal = flag(given, "literal")
    capitals = pattern != pattern.lower() if literal else has_capitals(pattern)
    ignore_case = case == "ignore" or (case == "smart" and not capitals)
    state = _Search(
        find=finder(pattern, "pattern", ignore_case=ignore_case, literal=literal),
        context=number(given, "context", 0),
        limit=number(given, "limit", 100),
    )
    for path in _files(given, reach, patience):
        try:
            patience.check()
            _search_file(path, reach, state)
        except ToolTimeoutError:
            if not state.matches:
                raise
            state.truncated = True  # what was found by then is an answer
        if state.truncated:
            break
    return {
        "matches": state.matches,
        "files_searched": state.searched,
        "files_skipped": state.skipped,
        "truncated": state.truncated,
    }


def _files(given: JsonObject, reach: Reach, patience: Patience) -> Iterator[str]:
    asked, glob = text(given, "path", "."), text(given, "glob")
    fits = matcher(glob) if glob else None
    with reach.looking(asked) as (descriptor, path):
        mode = os.fstat(descriptor).st_mode
    root = reach.absolute(asked)
    if stat.S_ISREG(mode):
        yield root
    elif stat.S_ISDIR(mode):
        choice = Choice(fits=fits, hidden=flag(given, "hidden"), ignored=flag(given, "ignored"))
        found = [entry.path for entry in walk(root, choice, patience) if entry.is_file]
        yield from (f"{root.rstrip('/')}/{one}" for one in sorted(found))
    else:
        raise ToolError(f"{path!r} is neither a file nor a folder")


def _search_file(path: str, reach: Reach, state: _Search) -> None:
    try:
        with reach.reading(path, is_file=True) as (descriptor, true):
            data = _as_utf8(read_all(descriptor, true, MOST_FILE_BYTES))
    except (ToolError, DeniedError):  # gone, too large, unreadable, or swapped for what leads out
        state.skipped += 1
        return
    if data is None:
        state.skipped += 1
        return
    state.searched += 1
    starts: list[int] | None = None
    last = -1
    for place in state.find(data):
        starts = starts or _line_starts(data)
        line = bisect_right(starts, place) - 1
        if line == last or (place == len(data) and data.endswith(b"\n")):
            continue
        last = line
        if len(state.matches) >= state.limit or state.room <= 0:
            state.truncated = True
            return
        state.matches.append(_match(reach.shown(path), data, starts, line, state))


def _match(path: str, data: bytes, starts: list[int], line: int, state: _Search) -> Json:
    """Return one match with its lines around, and count what it takes."""

    def shown(at: int) -> str:
        end = starts[at + 1] if at + 1 < len(starts) else len(data)
        text_of_line = data[starts[at] : min(end, starts[at] + MOST_LINE * 4)].decode("utf-8", "replace").rstrip("\r\n")
        state.room -= len(text_of_line)
        return text_of_line if len(text_of_line) <= MOST_LINE else text_of_line[:MOST_LINE] + " …"

    found: dict[str, Json] = {"path": path, "line": line + 1, "text": shown(line)}
    if state.context:
        count = len(starts) - (1 if data.endswith(b"\n") else 0)
        found["before"] = [shown(at) for at in range(max(0, line - state.context), line)]
        found["after"] = [shown(at) for at in range(line + 1, min(count, line + 1 + state.context))]
    return found


def _line_starts(data: bytes) -> list[int]:
    starts, at = [0], data.find(b"\n")
    while at >= 0:
        starts.append(at + 1)
        at = data.find(b"\n", at + 1)
    return starts


def _as_utf8(data: bytes) -> bytes | None:
    """Return a file's bytes as UTF-8 where a mark says that they are something else, None when they are not text."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x00\x00\xfe\xff")):
        found = decoded(data)
        return None if found is None else found.text.encode("utf-8", "replace")
    return None if b"\0" in data[:_PROBE] or b"\0" in data else data
