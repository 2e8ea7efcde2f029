"""`fs.list`: what is in a folder."""

import os
import stat
from typing import Final

from ourcli.common.errors import DeniedError, ToolError
from ourcli.tools.backends.builtin.beneath import PATH_ONLY, open_beneath
from ourcli.tools.backends.builtin.describing import TEXT, a_list, a_number, a_switch, a_text, an_object, described
from ourcli.tools.backends.builtin.file_tool import Patience
from ourcli.tools.backends.builtin.given import flag, number, text
from ourcli.tools.backends.builtin.globs import matcher
from ourcli.tools.backends.builtin.reach import Reach
from ourcli.tools.backends.builtin.walking import Choice, Entry, walk
from ourcli.tools.data import Json, JsonObject
from ourcli.tools.spec import ToolExample

MOST_ENTRIES: Final = 1_000

SPEC: Final = described(
    "fs.list",
    "List the files and folders in a folder. Hidden ones, and those that .gitignore names, only when asked for.",
    takes=an_object(
        {
            "path": a_text("The folder", default="."),
            "glob": a_text("Only names that fit, such as *.py or src/**/*.md"),
            "recursive": a_switch("What is in folders below it too"),
            "hidden": a_switch("Hidden files too"),
            "ignored": a_switch("Files that .gitignore names too"),
            "limit": a_number("So many at most", 1, MOST_ENTRIES, 200),
        },
        [],
    ),
    gives=an_object(
        {
            "path": TEXT,
            "entries": a_list(
                an_object(
                    {
                        "path": TEXT,
                        "kind": {"enum": ["file", "folder", "link", "other"]},
                        "size_bytes": {"type": ["integer", "null"]},
                    }
                )
            ),
            "truncated": {"type": "boolean"},
        }
    ),
    examples=(
        ToolExample(input={"path": "src"}, description="what is in the folder src"),
        ToolExample(input={"glob": "*.md", "recursive": True}, description="every Markdown file below here"),
    ),
)


def list_folder(given: JsonObject, reach: Reach, patience: Patience) -> JsonObject:
    """Return entries by name; `truncated` where there are more."""
    asked, limit = text(given, "path", "."), number(given, "limit", 200)
    pattern = text(given, "glob")
    choice = Choice(
        fits=matcher(pattern) if pattern else None,
        hidden=flag(given, "hidden"),
        ignored=flag(given, "ignored"),
        depth=None if flag(given, "recursive") or "/" in pattern.strip("/") else 1,
    )
    with reach.looking(asked) as (descriptor, path):
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise ToolError(f"{path!r} is no folder", hint="fs.read reads a file")
        root = reach.absolute(asked)
        names: list[Entry] = []
        for entry in walk(root, choice, patience):
            names.append(entry)
            if len(names) >= limit * 50:  # so that a huge tree is not sorted whole
                break
        names.sort(key=lambda entry: entry.path)
        entries: list[Json] = []
        for entry in names:
            if len(entries) > limit:
                break
            seen = _seen(descriptor, entry, reach, root)
            if seen is not None:
                entries.append(seen)
    return {"path": path, "entries": entries[:limit], "truncated": len(entries) > limit}


def _seen(folder: int, entry: Entry, reach: Reach, root: str) -> Json:
    """Return an entry as it stands below the folder that was opened, or None when it is not there (any more)."""
    try:
        descriptor = open_beneath(folder, entry.path, PATH_ONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        reach.check(descriptor)
        status = os.fstat(descriptor)
    except (OSError, DeniedError):
        return None
    finally:
        os.close(descriptor)
    mode = status.st_mode
    kind = next((name for name, test in _KINDS if test(mode)), "other")
    size = status.st_size if stat.S_ISREG(mode) else None
    return {"path": reach.shown(f"{root.rstrip('/')}/{entry.path}"), "kind": kind, "size_bytes": size}


_KINDS: Final = (("file", stat.S_ISREG), ("folder", stat.S_ISDIR), ("link", stat.S_ISLNK))
