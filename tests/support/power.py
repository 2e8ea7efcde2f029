"""What a power cut leaves of a folder: the bytes that files had when they were fsynced, under names that were."""

import errno
import random
import shutil
from pathlib import Path

from ourcli.memory.backends.folder_sync import fsync_path


class Platter:
    """Takes part in every fsync, and remembers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bytes: dict[Path, bytes] = {}
        self._names: dict[Path, set[Path]] = {}
        self.order: list[Path] = []
        self.broken = False

    def fsync(self, path: Path) -> None:
        """Sync for real, and remember what is safe now; fail while `broken`."""
        if self.broken:
            raise OSError(errno.EIO, "the disk is on fire")
        fsync_path(path)
        self.order.append(path)
        if path.is_dir():
            self._names[path] = set(path.iterdir())
        else:
            self._bytes[path] = path.read_bytes()

    def unsafe(self) -> list[Path]:
        """Return the files of the tables that a power cut would take or change."""
        files = [path for path in self._folder.glob("*.lance/**/*") if path.is_file()]
        return [path for path in files if not self._is_named(path) or self._bytes.get(path) != path.read_bytes()]

    def _is_named(self, path: Path) -> bool:
        while path != self._folder:
            if path not in self._names.get(path.parent, ()):
                return False
            path = path.parent
        return True

    def left(self, chance: random.Random) -> dict[Path, bytes]:
        """Return what may be left of the tables, by place in the folder: of what is not safe all, parts or nothing."""
        found = {}
        present = {path for path in self._folder.glob("*.lance/**/*") if path.is_file()}
        for path in sorted(present | self._bytes.keys()):
            safe = self._bytes.get(path) if self._is_named(path) else None
            now = path.read_bytes() if path in present else None
            data = safe if safe == now else chance.choice([safe, now, _torn(now, chance)])
            if data is not None:
                found[path.relative_to(self._folder)] = data
        return found

    def after_power_cut(self, into: Path) -> Path:
        """Write what is left into a new folder, with the journal, which syncs itself; return the folder."""
        into.mkdir()
        for path, data in self._bytes.items():
            if self._is_named(path):
                target = into / path.relative_to(self._folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        for file in self._folder.glob("journal.sqlite*"):
            shutil.copy(file, into)
        return into


def _torn(data: bytes | None, chance: random.Random) -> bytes | None:
    if data is None:
        return None
    part = data[: chance.randrange(len(data) + 1)]
    return part + bytes(len(data) - len(part)) if chance.random() < 0.5 else part
