"""Change one file so that it is whole at every moment and can be brought back."""

import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from ourcli.common.errors import StoreConflictError, ToolError
from ourcli.tools.backends.builtin.beneath import open_beneath, open_folder
from ourcli.tools.backends.builtin.reach import Place
from ourcli.tools.backends.undo_store import MOST_FILE_BYTES, Begun, UndoStore, digest

_LOOK: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_MAKE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINKS_THERE: Final = {errno.EPERM, errno.ENOTSUP, errno.EMLINK}
_FOLDER: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A file at one moment.

    Attributes:
        data: What it holds.
        status: Inode, size and time of change: another of them means another content.
        mode: Its permissions, without the bits that lend its owner's rights.
        owner: User and group.
    """

    data: bytes
    status: tuple[int, int, int, int]
    mode: int
    owner: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who changes a file: a tool, in a run or outside of any; `undoes` names a change that is taken back."""

    tool: str
    run_id: str = ""
    undoes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What became of a file.

    Attributes:
        id: Of the change in the undo store; None when nothing had to be changed.
        before: Digest of what it held, or None.
        after: Digest of what it holds, or None.
        size_bytes: Of what it holds.
    """

    id: int | None
    before: str | None
    after: str | None
    size_bytes: int


def snapshot(place: Place) -> Snapshot | None:
    """Return what stands at a place, None when nothing does.

    Raises:
        ToolError: Something else than a regular file stands there, it is too large, or it cannot be read.
    """
    try:
        status = os.stat(place.name, dir_fd=place.folder, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            what = "a symbolic link: name the file it leads to" if stat.S_ISLNK(status.st_mode) else "no regular file"
            raise ToolError(f"{place.path!r} is {what}", hint="nothing was changed")
        descriptor = os.open(place.name, _LOOK, dir_fd=place.folder)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise ToolError(f"{place.path!r} cannot be read: {exc.strerror or exc}", hint="nothing was changed") from exc
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        data = stream.read(MOST_FILE_BYTES + 1) if stat.S_ISREG(status.st_mode) else b""
    if not stat.S_ISREG(status.st_mode) or len(data) > MOST_FILE_BYTES:
        raise ToolError(f"{place.path!r} is no regular file of up to {MOST_FILE_BYTES >> 20} MiB")
    owner = (status.st_uid, status.st_gid)
    return Snapshot(data=data, status=_identity(status), mode=status.st_mode & 0o777, owner=owner)


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


class FileChanger:
    """Changes files; every change can be taken back.

    Args:
        store: Keeps what was before.
    """

    def __init__(self, store: UndoStore) -> None:
        self._store = store

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only one who changes files through tools; what died before is put in order first."""
        with self._store.holding():
            self.settle()
            yield

    def change(
        self, place: Place, rewrite: Callable[[bytes | None], bytes], author: Author, *, mode: int | None = None
    ) -> Changed:
        """Put what `rewrite` makes of a file's content in its place; it may raise, and nothing is changed then.

        Raises:
            ToolError: The file cannot be read or written; it is as it was.
            StoreConflictError: Somebody else changed it meanwhile; it is as they left it.
            StoreError: What was before cannot be kept; nothing was changed.
        """
        with self.alone():
            old = snapshot(place)
            return self.exchange(place, old, rewrite(old.data if old else None), author, mode=mode)

    def exchange(
        self, place: Place, old: Snapshot | None, new: bytes | None, author: Author, *, mode: int | None = None
    ) -> Changed:
        """Do the same with a content that is known, None to remove the file; only inside `alone`."""
        before, after = digest(old.data if old else None), digest(new)
        if before == after:
            return Changed(id=None, before=before, after=after, size_bytes=len(new or b""))
        if new is not None and len(new) > MOST_FILE_BYTES:
            raise ToolError(f"{place.path!r} would be larger than {MOST_FILE_BYTES >> 20} MiB", hint="write less")
        temporary = f".ourcli-{secrets.token_hex(8)}.tmp"
        number = self._store.begin(
            Begun(
                path=place.path,
                before=old.data if old else None,
                after=new,
                mode=old.mode if old else None,
                temporary=temporary,
                tool=author.tool,
                run_id=author.run_id,
                undoes=author.undoes,
            )
        )
        made = False
        try:
            _swap(place, old, new, temporary, mode)
            made = True
        except OSError as exc:
            raise ToolError(
                f"{place.path!r} cannot be written: {exc.strerror or exc}", hint="it is as it was before"
            ) from exc
        finally:
            if not made:
                self._store.drop(number)
        self._store.finish(number)
        return Changed(id=number, before=before, after=after, size_bytes=len(new or b""))

    def settle(self) -> None:
        """Put in order what a killed process left: its half-written file goes, its change counts if it was made."""
        if not self._store.exists:
            return
        for change, temporary in self._store.unfinished():
            try:
                place = place_of(change.path)
            except OSError:  # the folder is gone, and the file with it
                self._store.drop(change.id)
                continue
            try:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=place.folder)
                now = snapshot(place)
                made = digest(now.data if now else None) == change.after
            except (ToolError, OSError):
                made = False
            finally:
                os.close(place.folder)
            if made:
                self._store.finish(change.id)
            else:
                self._store.drop(change.id)


def place_of(path: str) -> Place:
    """Open the folder of a true path without following any link; the caller closes it.

    Raises:
        OSError: It is gone, or a link stands on the way now.
    """
    parent, name = os.path.split(path)
    top = open_folder("/")
    try:
        folder = open_beneath(top, parent.lstrip("/") or ".", _FOLDER, links=False)
    finally:
        os.close(top)
    return Place(folder=folder, name=name, path=path, asked=path)


def _swap(place: Place, old: Snapshot | None, new: bytes | None, temporary: str, mode: int | None) -> None:
    """Write the temporary file, sync it, let it take the place, sync the folder."""
    try:
        if new is not None:
            _write(place, old, new, temporary, mode)
        _check_unchanged(place, old)
        if new is None:
            os.unlink(place.name, dir_fd=place.folder)
        elif old is None:
            _take_new_name(place, temporary)
        else:
            os.rename(temporary, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder)
    finally:
        with suppress(FileNotFoundError):  # it has taken the place, unless something failed
            os.unlink(temporary, dir_fd=place.folder)
    with suppress(OSError):  # the change is made; some file systems cannot sync a folder
        os.fsync(place.folder)


def _write(place: Place, old: Snapshot | None, new: bytes, temporary: str, mode: int | None) -> None:
    kept = mode if mode is not None else old.mode if old else None
    descriptor = os.open(temporary, _MAKE, 0o666 if kept is None else 0o600, dir_fd=place.folder)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(new)
        if old is not None:
            with suppress(OSError):  # only root may give a file away
                os.fchown(descriptor, *old.owner)
        if kept is not None:
            os.fchmod(descriptor, kept)
        stream.flush()
        os.fsync(descriptor)


def _check_unchanged(place: Place, old: Snapshot | None) -> None:
    try:
        status = os.stat(place.name, dir_fd=place.folder, follow_symlinks=False)
        now = _identity(status)
    except FileNotFoundError:
        now = None
    if now != (old.status if old else None):
        raise StoreConflictError(
            f"somebody else changed {place.path!r} at the same time", hint="nothing was done; read it again"
        )


def _take_new_name(place: Place, temporary: str) -> None:
    """Give the file its name unless somebody has taken it meanwhile."""
    try:
        os.link(temporary, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder, follow_symlinks=False)
    except FileExistsError as exc:
        raise StoreConflictError(
            f"somebody else made {place.path!r} at the same time", hint="nothing was done; read it first"
        ) from exc
    except OSError as exc:
        if exc.errno not in _NO_LINKS_THERE:
            raise
        os.rename(temporary, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder)
