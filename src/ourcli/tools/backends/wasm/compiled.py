"""Compiled modules on disk, so that a module is compiled once.

What is kept is native code, so it is trusted only when it is byte for byte what this installation compiled: its
digest is kept apart from it, in the folder of facts and not in the folder of caches. It is loaded by workers that
gave up their rights, never by the host.
"""

import hashlib
import platform
import stat
from importlib.metadata import version
from pathlib import Path

from ourcli.common.errors import StoreError
from ourcli.common.files import FOLDER_MODE, atomic_write, ensure_private_folder

_MOST_BYTES = 512 * 1024 * 1024


class CompiledCache:
    """Native code by what it was made of.

    Args:
        folder: For the code; made private.
        digests: For the digests; made private.
        settings: Names the engine's settings; code of other settings is not found.
    """

    def __init__(self, folder: Path, digests: Path, *, settings: str) -> None:
        self._folder, self._digests = folder, digests
        self._made_with = f"{version('wasmtime')} {settings} {platform.machine()} {platform.system()}"

    def find(self, module_sha256: str, variant: str) -> bytes | None:
        """Return the native code of a module, or None when there is none or it is not what was kept."""
        key = self._key(module_sha256, variant)
        try:
            expected = (self._digests / key).read_text("ascii").strip()
            with (self._folder / f"{key}.cwasm").open("rb") as stream:
                content = stream.read(_MOST_BYTES)
        except (OSError, UnicodeError):
            return None
        return content if hashlib.sha256(content).hexdigest() == expected else None

    def keep(self, module_sha256: str, variant: str, content: bytes) -> None:
        """Keep native code for later; what cannot be written is compiled again next time."""
        key = self._key(module_sha256, variant)
        try:
            for folder in (self._folder, self._digests):
                _make_private(folder)
            with atomic_write(self._folder / f"{key}.cwasm") as stream:
                stream.write(content)
            with atomic_write(self._digests / key) as stream:
                stream.write(hashlib.sha256(content).hexdigest().encode())
        except StoreError:
            return  # a full or read-only disk costs time, nothing else

    def _key(self, module_sha256: str, variant: str) -> str:
        return hashlib.sha256(f"{module_sha256} {variant} {self._made_with}".encode()).hexdigest()


def _make_private(folder: Path) -> None:
    """Make a folder, or take others' rights to it away."""
    ensure_private_folder(folder)
    try:
        if stat.S_IMODE(folder.stat().st_mode) & ~FOLDER_MODE:
            folder.chmod(FOLDER_MODE)
    except OSError as exc:
        raise StoreError(f"cannot make {str(folder)!r} private: {exc.strerror or exc}") from exc
