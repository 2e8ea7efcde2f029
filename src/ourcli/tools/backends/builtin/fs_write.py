"""`fs.write` and `fs.edit`: give a file a new content, or replace one place in it."""

import hashlib
from typing import Final

from ourcli.common.errors import StoreConflictError, ToolError
from ourcli.tools.backends.builtin.describing import TEXT, a_switch, a_text, an_object, described
from ourcli.tools.backends.builtin.given import flag, refused, text
from ourcli.tools.backends.builtin.text import FileText, text_of
from ourcli.tools.data import JsonObject
from ourcli.tools.spec import SideEffects, ToolExample

_ANSWER: Final = an_object(
    {
        "path": TEXT,
        "created": {"type": "boolean"},
        "changed": {"type": "boolean"},
        "size_bytes": {"type": "integer"},
        "sha256": {"type": ["string", "null"]},
        "undo_id": {"type": ["integer", "null"]},
    }
)
_DIGEST: Final = a_text("Only if the file holds what has this SHA-256 (hex), as fs.read tells it")

WRITE: Final = described(
    "fs.write",
    "Write a text file, new or in place of what is there. `ourcli undo` takes it back.",
    takes=an_object(
        {
            "path": a_text("The file"),
            "text": a_text("All that it shall hold, written as UTF-8"),
            "make_folders": a_switch("Make the folders that are not there"),
            "only_new": a_switch("Fail when there is such a file"),
            "if_sha256": _DIGEST,
        },
        ["path", "text"],
    ),
    gives=_ANSWER,
    examples=(ToolExample(input={"path": "notes.md", "text": "# Notes\n"}, description="a note in a file"),),
    side_effects=SideEffects.LOCAL,
    idempotent=True,
)

EDIT: Final = described(
    "fs.edit",
    "Replace a text in a file by another one. The old text must stand there exactly once, or `all` be set. Encoding, "
    "byte order mark and line ends stay as they are. `ourcli undo` takes it back.",
    takes=an_object(
        {
            "path": a_text("The file"),
            "old": a_text("The text to replace, exactly as it stands in the file"),
            "new": a_text("What stands there then"),
            "all": a_switch("Replace it everywhere"),
            "if_sha256": _DIGEST,
        },
        ["path", "old", "new"],
    ),
    gives=_ANSWER,
    examples=(ToolExample(input={"path": "app.py", "old": "retries = 3", "new": "retries = 5"}),),
    side_effects=SideEffects.LOCAL,
    idempotent=False,
)


def written(given: JsonObject, path: str, old: bytes | None) -> bytes:
    """Return the new content of `fs.write`.

    Raises:
        StoreConflictError: The file is not as it was expected.
    """
    if old is not None and flag(given, "only_new"):
        raise StoreConflictError(f"{path!r} is there already", hint="nothing was written")
    _check_digest(given, path, old)
    return _utf8(given, "text")


def edited(given: JsonObject, path: str, old: bytes | None) -> bytes:
    """Return the new content of `fs.edit`.

    Raises:
        ToolError: The text is not there, is there more than once, or cannot be written in the file's encoding.
        StoreConflictError: The file is not as it was expected.
    """
    if old is None:
        raise ToolError(f"there is no {path!r}", hint="fs.write makes it")
    _check_digest(given, path, old)
    found = text_of(old, path)
    if found.encoded(found.text) != old:
        raise ToolError(f"{path!r} cannot be written back as it is in {found.encoding}", hint="nothing was changed")
    wanted, instead = _fitting(found, text(given, "old"), text(given, "new"))
    if not wanted:
        raise refused("old", "is empty")
    count = found.text.count(wanted)
    if count == 0:
        raise ToolError(f"the text to replace is not in {path!r}", hint="read the file: it must stand there exactly")
    if count > 1 and not flag(given, "all"):
        raise ToolError(
            f"the text to replace stands {count} times in {path!r}", hint="give more of what is around it, or set all"
        )
    return found.encoded(found.text.replace(wanted, instead))


def _fitting(found: FileText, old: str, new: str) -> tuple[str, str]:
    """Return both texts with the file's own line ends.

    Raises:
        ToolError: The file's encoding is a guess, and the texts are more than ASCII.
    """
    if found.guessed and not (old.isascii() and new.isascii()):
        raise ToolError(
            f"the file's encoding is not known ({found.encoding} is a guess)", hint="convert it to UTF-8 first"
        )
    ends = found.text.count("\n")
    if "\r\n" not in old and "\r\n" not in new and ends and found.text.count("\r\n") == ends:
        return old.replace("\n", "\r\n"), new.replace("\n", "\r\n")
    return old, new


def _check_digest(given: JsonObject, path: str, old: bytes | None) -> None:
    expected = text(given, "if_sha256").lower()
    if expected and hashlib.sha256(old or b"").hexdigest() != expected:
        raise StoreConflictError(f"{path!r} is not as it was when it was read", hint="nothing was written; read it")


def _utf8(given: JsonObject, name: str) -> bytes:
    try:
        return text(given, name).encode()
    except UnicodeEncodeError as exc:
        raise refused(name, "is not valid Unicode") from exc
