"""Files that a question names: the user's own words are the consent to read exactly these, once."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ourcli.tools.capabilities import Capability, CapabilityKind
from ourcli.tools.evident import QUOTED

_MOST: Final = 8
_MOST_WORDS: Final = 400
_FILE_LIKE = re.compile(r"[\w.~/\\@+-]*\w\.[A-Za-z][A-Za-z0-9]{0,5}\Z")
_AROUND: Final = "\"'`“”‘’()[]{}<>,;:!?"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A file that a question names.

    Attributes:
        text: As it is written there.
        path: Where it really is, links followed.
        inside: It lies below the working directory, links followed, and is not hidden: it may be read without asking
            again.
        linked: A link stands on the way to it.
    """

    text: str
    path: Path
    inside: bool
    linked: bool

    def right(self) -> Capability:
        """Return the right to read it."""
        return Capability(CapabilityKind.FS_READ, str(self.path))


def named_files(question: str, folder: Path) -> tuple[NamedFile, ...]:
    """Return the files and folders that a question names, at most a few.

    A word names a file when it exists and has a dot, a slash or a capital letter, or stands in quotes; or when it
    looks like a file's name, so that the tool can say that there is none. A folder is named by a path with a slash.

    Args:
        question: The user's words.
        folder: The working directory, which relative names begin at.
    """
    root = folder.resolve()
    found: dict[str, NamedFile] = {}
    for text, quoted in _candidates(question):
        if text not in found and (named := _named(text, root, quoted=quoted)) is not None:
            found[text] = named
        if len(found) == _MOST:
            break
    return tuple(found.values())


def _candidates(question: str) -> Iterator[tuple[str, bool]]:
    for match in QUOTED.finditer(question):
        yield next(part for part in match.groups() if part), True
    for word in QUOTED.sub(" ", question).split()[:_MOST_WORDS]:
        bare = word.strip(_AROUND).removesuffix("'s").removesuffix("’s")
        yield bare.rstrip(".") if bare.strip(".") else bare, False


def _named(text: str, root: Path, *, quoted: bool) -> NamedFile | None:
    if len(text) < 2 or "\0" in text or "://" in text or text.strip("./\\") == "":
        return None
    try:
        written = Path(os.path.abspath(root / Path(text).expanduser()))  # noqa: PTH100  # `..` is taken away, links are not followed
        path = written.resolve()
        is_file, is_folder = path.is_file(), path.is_dir()
    except (OSError, RuntimeError, ValueError):  # a name too long, a user that is not there, a link in a circle
        return None
    telling = quoted or "/" in text or "." in text.strip(".") or text[:1].isupper()
    there = (is_file and telling) or (is_folder and "/" in text)
    missing = not path.exists() and _FILE_LIKE.match(text) is not None
    if not there and not missing:
        return None
    inside = path != root and path.is_relative_to(root) and not _is_hidden(path.relative_to(root))
    return NamedFile(text=text, path=path, inside=inside, linked=path != written)


def _is_hidden(path: Path) -> bool:
    """Say whether a file is hidden or lies in a hidden folder: there stand keys and passwords (`.env`, `.ssh`)."""
    return any(part.startswith(".") for part in path.parts)
