"""After a power cut: tables go back to the last version of which every file was fsynced.

Nothing is lost by it. Whatever was acknowledged is in that version or still in the journal, for the journal drops a
row in the same transaction that notes the version. Later versions may be torn, so they are moved aside unread.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from ourcli.common.errors import StoreError
from ourcli.common.files import ensure_private_folder, sync_folder
from ourcli.memory.backends.folder_sync import fsync_path

ASIDE = "aside"
"""Folder in the store's for what was moved out of the way."""
_MANIFEST = re.compile(r"(\d+)\.manifest\Z")
_NEWEST_FIRST = 2**64 - 1
"""LanceDB names a manifest by this number less the version, so that the newest is listed first."""
_FIRST_OF_THESE = 2**63


def rollback(folder: Path, safe: Mapping[str, int]) -> tuple[Path, ...]:
    """Put each table back to its safe version, 0 for "not there yet"; return what was moved aside.

    Raises:
        StoreError: Something could not be moved.
    """
    moved: list[Path] = []
    try:
        for name, version in safe.items():
            table = folder / f"{name}.lance"
            if version == 0 and table.is_dir():
                moved.append(set_aside(folder, table))
            elif version in dict(manifests(table)):
                later = [path for found, path in manifests(table) if found > version]
                moved += [set_aside(folder, path) for path in later]
                if later:
                    (table / "_versions" / "latest_version_hint.json").unlink(missing_ok=True)
                    sync_folder(table / "_versions")
    except OSError as exc:
        raise StoreError(
            f"cannot put the memory in {str(folder)!r} in order after a power cut: {exc.strerror or exc}",
            hint="check its permissions",
        ) from exc
    return tuple(moved)


def remove_aside(folder: Path) -> None:
    """Remove for good what was moved aside.

    Raises:
        StoreError: Something could not be removed.
    """
    try:
        if (folder / ASIDE).exists():
            shutil.rmtree(folder / ASIDE)
    except OSError as exc:
        raise StoreError(f"cannot remove {str(folder / ASIDE)!r}: {exc}", hint="check its permissions") from exc


def manifests(table: Path) -> Iterator[tuple[int, Path]]:
    """Yield the versions of a table that have a manifest, and its file, in no order."""
    for path in (table / "_versions").glob("*.manifest"):
        if match := _MANIFEST.search(path.name):
            number = int(match[1])
            yield (_NEWEST_FIRST - number if number >= _FIRST_OF_THESE else number), path


def set_aside(folder: Path, path: Path) -> Path:
    """Move a file or folder of the store into `aside`, under a name that is free; return its new place."""
    target = _free_place(folder, path)
    path.replace(target)
    sync_folder(path.parent)
    sync_folder(target.parent)
    return target


def keep_aside(folder: Path, path: Path) -> Path:
    """Copy a file of the store into `aside`, under a name that is free; return the copy."""
    target = _free_place(folder, path)
    shutil.copy2(path, target)
    fsync_path(target)
    sync_folder(target.parent)
    return target


def _free_place(folder: Path, path: Path) -> Path:
    wanted = folder / ASIDE / path.relative_to(folder)
    ensure_private_folder(wanted.parent)
    names = (wanted.name, *(f"{wanted.name}.{number}" for number in range(1, 10_000)))
    return next(target for name in names if not (target := wanted.with_name(name)).exists())
