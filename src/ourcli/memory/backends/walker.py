"""The disk's files, found with ripgrep's walker."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import ignore
from ignore.overrides import OverrideBuilder

from ourcli.common.errors import InvalidInputError
from ourcli.memory.ingest.ports import FileContent, FoundFiles

_OFF = False  # the walker takes its switches by position only

_OPEN_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
"""A link or a pipe that takes a file's place after the walk is neither followed nor waited for."""


class DiskTree:
    """Files on this machine's disks (`FileTree`).

    Args:
        off_limits: Folders that are never read, such as ourcli's own home.
    """

    def __init__(self, off_limits: Iterable[Path] = ()) -> None:
        self._off_limits = tuple(folder.resolve() for folder in off_limits)

    def roots(self, paths: Sequence[Path]) -> tuple[Path, ...]:
        """Return the absolute form of `paths`, links resolved.

        Raises:
            InvalidInputError: One of them does not exist; the message names it.
        """
        return tuple(_resolved(path) for path in paths)

    def find(self, roots: Sequence[Path], include: Sequence[str], exclude: Sequence[str]) -> FoundFiles:
        """Return the regular files under `roots`: `.gitignore`, `.ignore` and git's exclude file are honoured.

        That holds outside of repositories too. Hidden files are left out, links are not followed.

        Raises:
            InvalidInputError: A pattern is not valid.
        """
        files: set[Path] = set()
        problems: set[str] = set()
        for root in roots:
            if root.is_dir():
                found, failed = _folder(root, _patterns(include), _patterns(exclude))
                files |= found
                problems |= failed
            elif os.path.lexists(root):
                files.add(root)
        unnamed = {path for path in files if not _is_unicode(path)}
        problems |= {f"{os.fsencode(path)!r}: its name is not valid Unicode" for path in unnamed}
        allowed = {path for path in files - unnamed if not self._is_off_limits(path)}
        return FoundFiles(files=tuple(sorted(allowed)), problems=tuple(sorted(problems)))

    def read(self, path: Path, most_bytes: int) -> FileContent:
        """Return a regular file's content, without its data when it is larger than `most_bytes`.

        Raises:
            InvalidInputError: It cannot be read; the message says why.
        """
        try:
            with open(path, "rb", opener=_open) as stream:  # Path.open takes no opener
                status = os.fstat(stream.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise InvalidInputError(f"{path}: is not a regular file")
                data = stream.read(most_bytes + 1)
        except OSError as exc:
            raise InvalidInputError(f"{path}: cannot be read: {exc.strerror or exc}") from exc
        modified = datetime.fromtimestamp(max(0.0, status.st_mtime), UTC)
        return FileContent(data=data if len(data) <= most_bytes else None, modified=modified)

    def exists(self, path: Path) -> bool:
        """Say whether something stands at `path`; True when that cannot be known."""
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except (OSError, ValueError):  # no permission to look, or a name that this system cannot have
            return True
        return True

    def _is_off_limits(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in self._off_limits)


def _open(name: str, flags: int) -> int:
    return os.open(name, flags | _OPEN_FLAGS)


def _resolved(path: Path) -> Path:
    try:
        return path.resolve(strict=True)
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise InvalidInputError(f"{str(path)!r} does not exist", hint="check the path; nothing was read") from exc
    except (OSError, RuntimeError, ValueError) as exc:  # no permission, a link to itself, a NUL in the name
        raise InvalidInputError(f"{str(path)!r} cannot be opened: {exc}", hint="nothing was read") from exc


def _folder(root: Path, include: list[str], exclude: list[str]) -> tuple[set[Path], set[str]]:
    """Return the files of a folder and what could not be read.

    The walker's overrides win over ignore files, so what they select is intersected with what ignore files leave.
    """
    brings_back = any(pattern.startswith("!") for pattern in exclude)
    files, problems = _walk(root, [] if brings_back else [f"!{pattern}" for pattern in exclude])
    if include:
        files &= _walk(root, include)[0]
    if brings_back:
        files -= _walk(root, exclude)[0]
    return files, problems


def _walk(root: Path, overrides: list[str]) -> tuple[set[Path], set[str]]:
    builder = ignore.WalkBuilder(root).require_git(_OFF).follow_links(_OFF)
    if overrides:
        builder.overrides(_overrides(root, overrides))
    files: set[Path] = set()
    problems: set[str] = set()
    for entry in _entries(builder.build()):
        if isinstance(entry, str):
            problems.add(entry)
        elif _is_regular(entry):
            files.add(entry)
    return files, problems


def _entries(walk: Iterator[ignore.DirEntry]) -> Iterator[Path | str]:
    """Yield paths, and as text what failed on the way; the walk goes on after a failure."""
    while True:
        try:
            yield next(walk).path()
        except StopIteration:
            return
        except (ignore.Error, ignore.IOError) as exc:
            yield str(exc)


def _overrides(root: Path, patterns: list[str]) -> ignore.overrides.Override:
    builder = OverrideBuilder(root)
    for pattern in patterns:
        try:
            builder.add(pattern)
        except ignore.Error as exc:
            raise InvalidInputError(
                f"the pattern {pattern.lstrip('!')!r} is not valid: {exc}", hint="write it as in .gitignore"
            ) from exc
    return builder.build()


def _patterns(lines: Sequence[str]) -> list[str]:
    """Return the patterns, each with one for what is inside of a folder that it names."""
    patterns: list[str] = []
    for line in lines:
        sign, bare = ("!", line[1:]) if line.startswith("!") else ("", line)
        bare = bare.rstrip()
        if not bare.strip("/") or bare.startswith("#"):
            continue
        name = bare.rstrip("/")
        anywhere = "" if "/" in name else "**/"
        patterns += [sign + bare, f"{sign}{anywhere}{name}/**"]
    return patterns


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:  # gone since the walk saw it, or not ours to look at: reading says why
        return True


def _is_unicode(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
