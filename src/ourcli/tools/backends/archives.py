"""Unpack an archive that a stranger made: plain files only, below one folder, bounded in number and size.

Nothing of the archive is believed: names, sizes and kinds are checked, and what is unpacked is counted while it is
written. Sources: PKWARE APPNOTE 4.3.16 (end of central directory), POSIX pax.
"""

import gzip
import io
import stat
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Final

from ourcli.common.errors import PluginError

if TYPE_CHECKING:
    from typing_extensions import Buffer  # of collections.abc from Python 3.12 on

MOST_MEMBERS: Final = 512
MOST_BYTES: Final = 128 * 1024 * 1024
"""Unpacked, everything together."""
MOST_ARCHIVE_BYTES: Final = 64 * 1024 * 1024
MOST_DEPTH: Final = 8
_MOST_DIRECTORY: Final = 1024 * 1024
_TAIL: Final = 66_000
_PIECE: Final = 1 << 20
_ENDS: Final = (".zip", ".tar.gz", ".tgz")


def is_archive(path: Path) -> bool:
    """Say whether a file is called like an archive that can be unpacked."""
    return path.name.lower().endswith(_ENDS)


def unpack(archive: Path, into: Path) -> None:
    """Unpack an archive into an empty folder.

    Raises:
        PluginError: It is damaged, too large, or holds something that is no plain file inside its own folder. What
            was unpacked until then is still in `into`.
    """
    try:
        if archive.stat().st_size > MOST_ARCHIVE_BYTES:
            raise PluginError(f"{str(archive)!r} is larger than {MOST_ARCHIVE_BYTES:,} bytes")
        work = _unpack_zip if archive.name.lower().endswith(".zip") else _unpack_tar
        with archive.open("rb") as stream:
            work(stream, _Target(into, str(archive)))
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, struct.error, NotImplementedError) as exc:
        raise PluginError(f"{str(archive)!r} is damaged: {exc}"[:300], hint="get it again") from exc
    except (
        OSError,
        ValueError,
        RuntimeError,
    ) as exc:  # gzip.BadGzipFile is an OSError; encrypted zips are RuntimeErrors
        raise PluginError(f"cannot unpack {str(archive)!r}: {exc}"[:300], hint="get it again") from exc


class _Target:
    """Where members go, and how much has come so far."""

    def __init__(self, into: Path, archive: str) -> None:
        self._into, self._archive = into, archive
        self._names: set[str] = set()
        self._bytes = 0

    def refuse(self, why: str) -> PluginError:
        return PluginError(f"{self._archive!r} is refused: {why}", hint="nothing was installed")

    def place(self, name: str) -> Path:
        """Return where a member of this name goes."""
        path = PurePosixPath(name)
        parts = path.parts
        odd = not name or path.is_absolute() or ".." in parts or "\\" in name or ":" in name or not name.isprintable()
        if odd or any(len(part) > 200 or part != part.strip(" ") or part.endswith(".") for part in parts):
            raise self.refuse(f"it holds {name[:120]!r}, which is no plain name inside it")
        if len(parts) > MOST_DEPTH:
            raise self.refuse(f"its folders are nested deeper than {MOST_DEPTH}")
        folded = str(path).casefold()
        if folded in self._names:
            raise self.refuse(f"it holds {name[:120]!r} twice")
        self._names.add(folded)
        if len(self._names) > MOST_MEMBERS:
            raise self.refuse(f"it holds more than {MOST_MEMBERS} files")
        return self._into.joinpath(*parts)

    def folder(self, name: str) -> None:
        """Make a folder."""
        self.place(name.rstrip("/")).mkdir(parents=True, exist_ok=True)

    def file(self, name: str, content: IO[bytes]) -> None:
        """Write a file, piece by piece."""
        path = self.place(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as stream:
            while piece := content.read(_PIECE):
                self._bytes += len(piece)
                if self._bytes > MOST_BYTES:
                    raise self.refuse(f"it unpacks to more than {MOST_BYTES:,} bytes")
                stream.write(piece)


def _unpack_zip(stream: IO[bytes], target: _Target) -> None:
    _check_directory(stream, target)
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise target.refuse(f"{member.filename[:120]!r} is no plain file")
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise target.refuse(f"{member.filename[:120]!r} is packed in an unusual way")
            if member.is_dir():
                target.folder(member.filename)
                continue
            with archive.open(member) as content:
                target.file(member.filename, content)


def _check_directory(stream: IO[bytes], target: _Target) -> None:
    """Refuse a list of members that would take much memory just to be read."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _TAIL))
    tail = stream.read(_TAIL)
    stream.seek(0)
    if b"PK\x06\x07" in tail:
        raise target.refuse("it is a zip64, which no plugin needs")
    at = tail.find(b"PK\x05\x06")
    while at >= 0:
        if len(tail) >= at + 16 and struct.unpack_from("<L", tail, at + 12)[0] > _MOST_DIRECTORY:
            raise target.refuse("its list of files is too long")
        at = tail.find(b"PK\x05\x06", at + 1)


def _unpack_tar(stream: IO[bytes], target: _Target) -> None:
    with gzip.GzipFile(fileobj=stream) as inflating, _open_tar(_Bounded(inflating, target)) as archive:
        for member in archive:
            if member.isdir():
                if member.name != ".":
                    target.folder(member.name)
                continue
            content = archive.extractfile(member) if member.isreg() and not member.issparse() else None
            if content is None:
                raise target.refuse(f"{member.name[:120]!r} is no plain file")
            target.file(member.name, content)


def _open_tar(stream: "_Bounded") -> tarfile.TarFile:
    return tarfile.open(fileobj=stream, mode="r|")


class _Bounded(io.RawIOBase):
    """A stream that ends in a refusal when more comes out of it than an archive may hold, its own headers included."""

    def __init__(self, stream: gzip.GzipFile, target: _Target) -> None:
        self._stream, self._target, self._left = stream, target, MOST_BYTES + MOST_MEMBERS * 4096

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: "Buffer", /) -> int:
        """Read the next bytes."""
        view = memoryview(buffer).cast("B")
        count = self._stream.readinto(view[: self._left + 1])
        self._left -= count
        if self._left < 0:
            raise self._target.refuse(f"it unpacks to more than {MOST_BYTES:,} bytes")
        return count
