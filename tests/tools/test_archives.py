"""Archives that strangers made: what leaves its folder, is no plain file or blows up is refused."""

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ourcli.common.errors import PluginError
from ourcli.tools.backends.archives import MOST_BYTES, MOST_MEMBERS, unpack
from tests.promises import promise

NAMES = [
    "../evil",
    "a/../../evil",
    "/etc/evil",
    "a\\..\\evil",
    "C:evil",
    "a\nb",
    "a/\u202eb",
    "a./b",
    "x" * 201,
    "/".join("abcdefghi"),
]


def a_zip(path: Path, members: dict[str, bytes], **more: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = more.get("compress_type", zipfile.ZIP_DEFLATED)
            info.external_attr = more.get("mode", stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content)
    return path


def a_tar(path: Path, members: dict[str, bytes], change: Callable[[tarfile.TarInfo], None] | None = None) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            if change:
                change(info)
            archive.addfile(info, io.BytesIO(content))
    return path


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """Return an empty folder to unpack into."""
    folder = tmp_path / "outer" / "into"
    folder.mkdir(parents=True)
    return folder


@promise("tools.plugins.hostile-archive")
@pytest.mark.parametrize("kind", [a_zip, a_tar])
@pytest.mark.parametrize("name", NAMES)
def test_names_that_lead_out_or_mean_something_else_are_refused(
    tmp_path: Path, into: Path, kind: Callable[[Path, dict[str, bytes]], Path], name: str
) -> None:
    archive = kind(tmp_path / ("x.zip" if kind is a_zip else "x.tar.gz"), {name: b"evil"})

    with pytest.raises(PluginError, match=r"no plain name inside it|nested deeper"):
        unpack(archive, into)

    assert files_below(into.parent) == ["into"]


@promise("tools.plugins.hostile-archive")
@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_a_zip_with_links_or_devices_is_refused(tmp_path: Path, into: Path, mode: int) -> None:
    with pytest.raises(PluginError, match="no plain file"):
        unpack(a_zip(tmp_path / "x.zip", {"a": b"/etc/passwd"}, mode=mode | 0o644), into)

    assert files_below(into) == []


@promise("tools.plugins.hostile-archive")
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_a_tar_with_links_or_devices_is_refused(tmp_path: Path, into: Path, kind: bytes) -> None:
    def change(info: tarfile.TarInfo) -> None:
        info.type, info.linkname, info.size = kind, "/etc/passwd", 0

    with pytest.raises(PluginError, match="no plain file"):
        unpack(a_tar(tmp_path / "x.tar.gz", {"a": b""}, change), into)

    assert files_below(into) == []


@promise("tools.plugins.hostile-archive")
@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz"])
def test_an_archive_that_blows_up_is_stopped_by_what_comes_out_of_it(tmp_path: Path, into: Path, name: str) -> None:
    make = a_zip if name.endswith("zip") else a_tar
    archive = make(tmp_path / name, {"bomb": bytes(MOST_BYTES + 1)})
    assert archive.stat().st_size < 1_000_000

    with pytest.raises(PluginError, match="unpacks to more than"):
        unpack(archive, into)

    assert sum(path.stat().st_size for path in into.rglob("*")) <= MOST_BYTES


@promise("tools.plugins.hostile-archive")
def test_a_header_that_blows_up_is_stopped_too(tmp_path: Path, into: Path) -> None:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 1 << 40
    archive = tmp_path / "x.tar.gz"
    with gzip.open(archive, "wb", compresslevel=1) as stream:
        stream.write(header.tobuf(tarfile.GNU_FORMAT))
        for _ in range(140):
            stream.write(bytes(1 << 20))

    with pytest.raises(PluginError, match="unpacks to more than"):
        unpack(archive, into)


@promise("tools.plugins.hostile-archive")
@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz"])
def test_too_many_files_and_names_that_differ_in_case_only_are_refused(tmp_path: Path, into: Path, name: str) -> None:
    make = a_zip if name.endswith("zip") else a_tar
    many = make(tmp_path / name, {f"f{number}": b"" for number in range(MOST_MEMBERS + 1)})
    with pytest.raises(PluginError, match=f"more than {MOST_MEMBERS} files"):
        unpack(many, into)

    twice = make(tmp_path / name, {"manifest.json": b"1", "MANIFEST.json": b"2"})
    with pytest.raises(PluginError, match="twice"):
        unpack(twice, into.parent / "other")


@promise("tools.plugins.hostile-archive")
def test_a_zip_whose_list_of_files_is_without_end_is_not_read(tmp_path: Path, into: Path) -> None:
    archive = a_zip(tmp_path / "x.zip", {"a": b"1"})
    content = bytearray(archive.read_bytes())
    content[-10:-6] = (1 << 30).to_bytes(4, "little")
    archive.write_bytes(content)

    with pytest.raises(PluginError, match="list of files is too long"):
        unpack(archive, into)


@pytest.mark.parametrize(
    ("name", "content"),
    [("x.zip", b""), ("x.zip", b"PK\x05\x06"), ("x.zip", b"no zip"), ("x.tar.gz", b""), ("x.tar.gz", b"\x1f\x8b\x08")],
)
def test_a_damaged_archive_is_told_in_words(tmp_path: Path, into: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(PluginError, match=r"damaged|cannot unpack"):
        unpack(tmp_path / name, into)


def test_a_zip_packed_in_an_unusual_way_is_refused(tmp_path: Path, into: Path) -> None:
    archive = a_zip(tmp_path / "x.zip", {"a": b"1" * 100}, compress_type=zipfile.ZIP_LZMA)

    with pytest.raises(PluginError, match="unusual"):
        unpack(archive, into)


@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz", "x.tgz"])
def test_plain_files_in_folders_are_unpacked(tmp_path: Path, into: Path, name: str) -> None:
    make = a_zip if name.endswith("zip") else a_tar

    unpack(make(tmp_path / name, {"hello/manifest.json": b"{}", "hello/src/a.c": b"int"}), into)

    assert files_below(into) == ["hello", "hello/manifest.json", "hello/src", "hello/src/a.c"]
    assert (into / "hello" / "src" / "a.c").read_bytes() == b"int"
