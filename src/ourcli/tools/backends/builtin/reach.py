"""Which files a call may touch: every path of an input is resolved below a granted root, on descriptors."""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ourcli.common.errors import CapabilityDeniedError, DeniedError, ToolError, ToolInputError
from ourcli.tools.backends.builtin.beneath import PATH_ONLY, open_beneath, open_folder, true_path
from ourcli.tools.capabilities import Capability, CapabilityKind
from ourcli.tools.ports import ToolContext

READ: Final = CapabilityKind.FS_READ
WRITE: Final = CapabilityKind.FS_WRITE
_LEADS_OUT: Final = {errno.EXDEV, errno.ELOOP, errno.ENOTDIR}
_MOST_CHARACTERS: Final = 4096
_FOLDER: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_KERNELS_OWN: Final = ("/proc", "/sys", "/dev")
"""Files there are no data: they show and steer processes and devices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A name in an open folder, where a file stands or may be written.

    Attributes:
        folder: Descriptor of the folder.
        name: In the folder; never with a slash, `.` or `..`.
        path: The whole path as it really is.
        asked: The whole path as it was asked for.
    """

    folder: int
    name: str
    path: str
    asked: str


class Reach:
    """What one call may touch.

    Args:
        tool: Its name, for messages.
        context: Its rights, and the folder that relative paths begin at.
        off_limits: Folders that no right opens, such as ourcli's own home.
    """

    def __init__(self, tool: str, context: ToolContext, off_limits: Sequence[Path] = ()) -> None:
        self._tool, self._context = tool, context
        self._off_limits = tuple(os.path.realpath(folder) for folder in off_limits)
        self._own_devices = {_device(folder) for folder in _KERNELS_OWN} - {None}

    def absolute(self, text: str) -> str:
        """Return the whole path that a path of the input means, `..` taken away.

        Raises:
            ToolInputError: It is no path.
        """
        if not text or "\0" in text or len(text) > _MOST_CHARACTERS:
            raise ToolInputError(f"{text[:120]!r} is no path", hint="name a file or folder")
        begun = str(Path(text).expanduser()) if text.startswith("~/") or text == "~" else text
        # `normpath` never looks at the disk: a link before `..` means what its name says, which stays in the roots
        return "/" + os.path.normpath(Path.cwd() / self._context.folder / begun).lstrip("/")

    def shown(self, path: str) -> str:
        """Return a whole path as an input may name it: relative where it lies below the working folder."""
        folder = Path.cwd() / self._context.folder
        return os.path.relpath(path, folder) if Path(path).is_relative_to(folder) else path

    @contextmanager
    def reading(self, text: str, *, is_file: bool = False) -> Iterator[tuple[int, str]]:
        """Open a regular file to read; yield its descriptor and its true path.

        Args:
            text: The file's path.
            is_file: It was a regular file a moment ago; what is none any more is refused all the same.

        Raises:
            CapabilityDeniedError: Nobody granted it.
            DeniedError: No right opens it.
            ToolError: There is none, or it is no regular file.
        """
        path = self.absolute(text)
        if not is_file:
            with self._opened(path, READ, PATH_ONLY) as looked:
                if not stat.S_ISREG(os.fstat(looked).st_mode):  # a device is not even opened
                    raise ToolError(f"{path!r} is no regular file", hint=_what(looked))
        with self._opened(path, READ, os.O_RDONLY) as descriptor:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ToolError(f"{path!r} is no regular file")
            yield descriptor, true_path(descriptor)

    @contextmanager
    def looking(self, text: str) -> Iterator[tuple[int, str]]:
        """Open anything that may be read, only to look at it; yield its descriptor and its true path.

        Raises:
            CapabilityDeniedError: Nobody granted it.
            DeniedError: No right opens it.
            ToolError: There is none.
        """
        with self._opened(self.absolute(text), READ, PATH_ONLY) as descriptor:
            yield descriptor, true_path(descriptor)

    @contextmanager
    def working(self, text: str) -> Iterator[tuple[int, str]]:
        """Open a folder that may be written to; yield its descriptor and its true path.

        Raises:
            CapabilityDeniedError: Nobody granted it.
            DeniedError: No right opens it.
            ToolError: There is none.
        """
        with self._opened(self.absolute(text), WRITE, _FOLDER) as descriptor:
            yield descriptor, true_path(descriptor)

    @contextmanager
    def placing(self, text: str, *, make_folders: bool = False) -> Iterator[Place]:
        """Open the folder of a file that is to be written.

        Args:
            text: The file's path.
            make_folders: Make the folders that lack.

        Raises:
            CapabilityDeniedError: Nobody granted to write there.
            DeniedError: No right opens it.
            ToolError: The folder is not there.
        """
        path = self.absolute(text)
        root = self._root(path, WRITE)
        parent, name = os.path.split(path)
        if not name or (path == root and Path(path).is_dir()):
            raise ToolError(f"{path!r} is a folder", hint="name a file in it")
        if make_folders and parent != path and len(parent) > len(root):
            self._make(root, os.path.relpath(parent, root))
        if path == root:  # the right is for one file: its folder is not granted, but the name in it is
            with _translated(path):
                descriptor = os.open(parent, _FOLDER)
        else:
            descriptor = self._descend(parent, WRITE, _FOLDER)
        try:
            true = self.check(descriptor)
            yield Place(folder=descriptor, name=name, path=os.path.join(true, name), asked=path)  # noqa: PTH118  # the kernel's words
        finally:
            os.close(descriptor)

    def _make(self, root: str, relative: str) -> None:
        """Make each folder on a way that is not there, by descriptors."""
        done = ""
        for part in relative.split("/"):
            with _translated(f"{root}/{relative}"):
                above = self._descend(f"{root}/{done}".rstrip("/"), WRITE, PATH_ONLY | os.O_DIRECTORY)
            try:
                self.check(above)
                with _translated(f"{root}/{relative}"), suppress(FileExistsError):
                    os.mkdir(part, dir_fd=above)
            finally:
                os.close(above)
            done = f"{done}/{part}".lstrip("/")

    @contextmanager
    def _opened(self, path: str, kind: CapabilityKind, flags: int) -> Iterator[int]:
        descriptor = self._descend(path, kind, flags)
        try:
            self.check(descriptor)
            yield descriptor
        finally:
            os.close(descriptor)

    def _descend(self, path: str, kind: CapabilityKind, flags: int) -> int:
        """Open a path below the root that covers it; a link that leads elsewhere needs a right for where it leads."""
        try:
            return _open(path, self._root(path, kind), flags, links=True)
        except OSError as exc:
            if exc.errno not in _LEADS_OUT:
                raise _failure(path, exc) from exc
            real = os.path.realpath(path)
            if real == path:
                raise _failure(path, exc) from exc
        root = self._root(real, kind)
        try:
            return _open(real, root, flags, links=False)
        except OSError as exc:
            raise _failure(path, exc) from exc

    def _root(self, path: str, kind: CapabilityKind) -> str:
        """Return the outermost granted path that covers a path: links may lead anywhere inside of it."""
        wanted = Capability(kind, path)
        covering = [right.value for right in self._context.granted if right.covers(wanted)]
        if not covering:
            raise self.denied(path, kind)
        return min(covering, key=len)

    def denied(self, path: str, kind: CapabilityKind) -> CapabilityDeniedError:
        """Return the error of a path that nobody granted."""
        doing = "read" if kind is READ else "write"
        return CapabilityDeniedError(
            f"the tool {self._tool!r} may not {doing} {path!r}: nobody granted it",
            capability=f"{kind}={path}",
            hint=f"`ourcli tools grant {self._tool} {kind}=PATH` grants a file, or a folder with everything in it",
        )

    def check(self, descriptor: int) -> str:
        """Return the true path of what was opened.

        Raises:
            DeniedError: It stands where no right reaches.
        """
        true = true_path(descriptor)
        if any(true == folder or true.startswith(f"{folder}/") for folder in self._off_limits):
            raise DeniedError(f"{true!r} belongs to ourcli itself: no tool may touch it", hint="use its own commands")
        if os.fstat(descriptor).st_dev in self._own_devices:
            raise DeniedError(f"{true!r} shows the system, not data: no tool may touch it")
        return true


def _device(folder: str) -> int | None:
    """Return the number of a file system of the kernel's own, None where the folder lies on an ordinary one."""
    try:
        device = Path(folder).stat().st_dev
        return None if device == Path("/").stat().st_dev else device
    except OSError:
        return None


def _open(path: str, root: str, flags: int, *, links: bool) -> int:
    try:
        folder, relative = open_folder(root), os.path.relpath(path, root)
    except (NotADirectoryError, FileNotFoundError):
        if path != root:
            raise
        folder, relative, links = open_folder(str(Path(root).parent)), Path(root).name, False
    try:
        return open_beneath(folder, relative, flags, links=links)
    finally:
        os.close(folder)


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise _failure(path, exc) from exc


def _failure(path: str, exc: OSError) -> ToolError:
    if isinstance(exc, FileNotFoundError):
        return ToolError(f"there is no {path!r}", hint="fs.list shows what there is")
    return ToolError(f"{path!r} cannot be opened: {exc.strerror or exc}")


def _what(descriptor: int) -> str:
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISDIR(mode):
        return "it is a folder: fs.list shows what is in it"
    return "it is a pipe, a socket or a device"
