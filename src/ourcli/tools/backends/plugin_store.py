"""The plugins of this home: added from a folder or an archive, whole or not at all, and removed."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ourcli.common.clock import Clock
from ourcli.common.errors import InvalidInputError, NotFoundError, PluginError, StoreError
from ourcli.common.files import atomic_write, ensure_private_folder, sync_folder
from ourcli.tools.backends.archives import is_archive, unpack
from ourcli.tools.backends.file_lock import changing
from ourcli.tools.manifest import FILE_NAME
from ourcli.tools.plugin_lock import MOST_FILE_BYTES, MOST_FILES, Added, Lock, Locked, digests, faults, read_lock
from ourcli.tools.plugins import Plugin, load_plugin, read_plain

_TEXTS: Final = (".md", ".txt", ".rst")
_PLAIN_TEXTS: Final = ("readme", "license", "licence", "copying", "notice")
MOST_TEXT_BYTES: Final = 1024 * 1024
_ABANDONED_S: Final = 3600.0


class PluginStore:
    """Adds and removes plugins.

    Args:
        home: Where staging folders are made; on one file system with `folder`.
        folder: The plugins, a folder each.
        lock: `plugins.lock`.
        clock: Time.
    """

    def __init__(self, home: Path, folder: Path, lock: Path, *, clock: Clock) -> None:
        self._home, self._folder, self._lock_path, self._clock = home, folder, lock, clock

    def lock(self) -> Lock:
        """Return the digests of what was added.

        Raises:
            StoreError: The lock file is damaged.
        """
        return read_lock(self._lock_path)

    def faults(self, plugin: Plugin, lock: Lock) -> tuple[str, ...]:
        """Return what of a plugin is not as it was added; one that was put there by hand has no faults."""
        locked = lock.plugins.get(plugin.name)
        return faults(plugin.folder, locked) if locked and plugin.folder == self._folder / plugin.name else ()

    def add(self, source: Path, *, replace: bool) -> Added:
        """Add a plugin from a folder, a zip or a tar.gz.

        Taken over are its manifest, its modules and the texts beside them; a plugin sees none of its own files.

        Raises:
            PluginError: The archive is hostile or damaged, or the plugin cannot be used; nothing was added.
            InvalidInputError: There is one of that name, and `replace` is False.
            StoreError: It cannot be written.
        """
        with self._staging() as staging:
            taken = ensure_private_folder(staging / "taken")
            _take(_unpacked(source, staging), taken)
            plugin = load_plugin(taken)
            target = self._folder / plugin.name
            with changing(self._lock_path):
                exists = os.path.lexists(target)
                if exists and not replace:
                    raise InvalidInputError(
                        f"there is a plugin {plugin.name!r} already", hint="`--replace` puts this one in its place"
                    )
                files = dict(digests(taken))
                locked = Locked(
                    version=plugin.manifest.version, added_at=self._clock.now(), source=str(source), files=files
                )
                self._write(read_lock(self._lock_path).having(plugin.name, locked))
                self._move(taken, target, staging / "old")
        return Added(plugin=load_plugin(target), files=files, replaced=exists)

    def remove(self, name: str) -> None:
        """Remove a plugin and its entry in the lock.

        Raises:
            NotFoundError: No plugin of that name stands in this home.
            StoreError: It cannot be removed.
        """
        with self._staging() as staging, changing(self._lock_path):
            target = self._of_name(name)
            try:
                target.rename(staging / "old")
            except OSError as exc:
                raise StoreError(
                    f"cannot remove {str(target)!r}: {exc.strerror or exc}", hint="check its permissions"
                ) from exc
            sync_folder(self._folder)
            self._write(read_lock(self._lock_path).without(name))

    def _of_name(self, name: str) -> Path:
        folders = sorted(self._folder.iterdir()) if self._folder.is_dir() else []
        for folder in folders:
            try:
                if load_plugin(folder).name == name:
                    return folder
            except PluginError:
                if folder.name == name:
                    return folder  # a broken one is removed too
        raise NotFoundError(
            f"no plugin {name[:120]!r} in {str(self._folder)!r}", hint="`ourcli plugins list` shows where each stands"
        )

    def _write(self, lock: Lock) -> None:
        with atomic_write(self._lock_path) as stream:
            stream.write(lock.model_dump_json(indent=1).encode() + b"\n")

    def _move(self, taken: Path, target: Path, old: Path) -> None:
        ensure_private_folder(self._folder)
        try:
            if os.path.lexists(target):
                target.rename(old)
            taken.rename(target)
            sync_folder(self._folder)
        except OSError as exc:
            raise StoreError(f"cannot write {str(target)!r}: {exc.strerror or exc}", hint="check free space") from exc

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        ensure_private_folder(self._home)
        for left in self._home.glob(".plugin-*"):
            if left.stat().st_mtime < time.time() - _ABANDONED_S:  # a killed process left it
                shutil.rmtree(left, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix=".plugin-", dir=self._home))
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _unpacked(source: Path, staging: Path) -> Path:
    """Return the folder of a plugin: the given one, or what was in the archive."""
    if source.is_dir():
        return source
    if not source.exists():
        raise PluginError(f"{str(source)!r} does not exist", hint="name a folder, a .zip or a .tar.gz")
    if not is_archive(source):
        raise PluginError(
            f"{str(source)!r} is neither a folder nor a .zip nor a .tar.gz", hint="pack it as one of these"
        )
    into = ensure_private_folder(staging / "unpacked")
    unpack(source, into)
    inside = list(into.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else into


def _take(folder: Path, into: Path) -> None:
    """Copy what belongs to a plugin: manifest, modules, texts; links and other special files among them are refused."""
    try:
        names = sorted(entry.name for entry in folder.iterdir() if _belongs(entry.name))
    except OSError as exc:
        raise PluginError(f"cannot read {str(folder)!r}: {exc.strerror or exc}", hint="check its permissions") from exc
    if len(names) > MOST_FILES:
        raise PluginError(f"{str(folder)!r} holds more than {MOST_FILES} files that belong to a plugin")
    for name in names:
        most = MOST_FILE_BYTES if name.endswith(".wasm") else MOST_TEXT_BYTES
        content = read_plain(folder / name, most_bytes=most)
        with atomic_write(into / name) as stream:
            stream.write(content)


def _belongs(name: str) -> bool:
    low = name.lower()
    return name == FILE_NAME or name.endswith(".wasm") or low.endswith(_TEXTS) or low.split(".")[0] in _PLAIN_TEXTS
