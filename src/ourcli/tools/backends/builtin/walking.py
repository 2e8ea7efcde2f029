"""Walk through folders as ripgrep does: ignore files are honoured, hidden files left out, links not followed.

The walk only brings names. Whoever opens one does so by descriptor below a granted root, so a folder that is swapped
for a link meanwhile brings names that cannot be opened.
"""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ourcli.tools.backends.builtin.file_tool import Patience

OFF: Final = False  # the walker takes its switches by position only


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What of a tree is wanted.

    Attributes:
        fits: Says whether a path, relative to where the walk begins, is wanted; None for all.
        hidden: Hidden files too.
        ignored: What ignore files name too.
        depth: So many folders down; None for all.
    """

    fits: Callable[[str], bool] | None = None
    hidden: bool = False
    ignored: bool = False
    depth: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a walk found: its path relative to where the walk began, and what it was (`st_mode`)."""

    path: str
    mode: int

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return stat.S_ISREG(self.mode)


def walk(root: str, choice: Choice, patience: Patience) -> Iterator[Entry]:
    """Yield what is below a folder, sorted by nothing; what cannot be read is left out.

    Raises:
        ToolTimeoutError: It took too long.
    """
    for path in _names(root, choice):
        patience.check()
        relative = os.path.relpath(path, root)
        if relative == "." or not _is_unicode(relative) or not (choice.fits is None or choice.fits(relative)):
            continue
        try:
            yield Entry(path=relative, mode=path.lstat().st_mode)
        except OSError:
            continue  # it is gone since


def _names(root: str, choice: Choice) -> Iterator[Path]:
    import ignore  # deferred: native, and few calls need it

    builder = ignore.WalkBuilder(Path(root)).require_git(OFF).follow_links(OFF).max_depth(choice.depth)
    builder = builder.hidden(not choice.hidden)
    if choice.ignored:
        builder = builder.ignore(OFF).parents(OFF).git_ignore(OFF).git_global(OFF).git_exclude(OFF)
    found = builder.build()
    while True:
        try:
            yield next(found).path()
        except StopIteration:
            return
        except (ignore.Error, ignore.IOError):
            continue  # a folder that may not be read: the walk goes on after it


def _is_unicode(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
