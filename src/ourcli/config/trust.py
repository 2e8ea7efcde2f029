"""Which projects the user trusts: the folder and the digest of its `.ourcli.toml`, in `trusted.json`.

A file that changed since is not trusted any more. No network is involved.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ourcli.common.errors import ConfigError, NotFoundError
from ourcli.common.files import atomic_write, ensure_private_folder
from ourcli.config.backends.file_lock import locked
from ourcli.config.toml_file import USER_LIMIT_BYTES, read_bytes

TrustState = Literal["untrusted", "changed", "trusted"]
_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _TrustFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1] = 1
    projects: dict[str, _Digest] = {}


class TrustStore:
    """The projects a user trusts.

    Args:
        path: `trusted.json` of the home; need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def projects(self) -> Mapping[str, str]:
        """Return the digest of the trusted `.ourcli.toml` by its project's folder.

        Raises:
            ConfigError: The file of trust is damaged.
        """
        return self._read().projects

    def state(self, root: Path, sha256: str) -> TrustState:
        """Say whether the project at `root` is trusted with a `.ourcli.toml` of this digest.

        Raises:
            ConfigError: The file of trust is damaged.
        """
        recorded = self.projects().get(_name(root))
        if recorded is None:
            return "untrusted"
        return "trusted" if recorded == sha256 else "changed"

    def add(self, root: Path, sha256: str) -> None:
        """Trust the project at `root` as long as its `.ourcli.toml` has this digest.

        Raises:
            ConfigError: The file of trust is damaged.
            StoreError: It cannot be written.
        """
        ensure_private_folder(self._path.parent)
        with locked(self._path):
            content = self._read()
            content.projects[_name(root)] = sha256
            self._write(content)

    def remove(self, root: Path) -> None:
        """Trust the project at `root` no more.

        Raises:
            NotFoundError: It was not trusted.
            ConfigError: The file of trust is damaged.
            StoreError: It cannot be written.
        """
        if _name(root) not in self.projects():
            raise NotFoundError(f"{_name(root)!r} is not trusted", hint="`ourcli trust --list` shows what is")
        with locked(self._path):
            content = self._read()
            content.projects.pop(_name(root), None)
            self._write(content)

    def _read(self) -> _TrustFile:
        try:
            content = read_bytes(self._path, limit=USER_LIMIT_BYTES)
        except FileNotFoundError:
            return _TrustFile()
        try:
            return _TrustFile.model_validate_json(content)
        except ValidationError as exc:
            raise ConfigError(
                f"{str(self._path)!r} is damaged", hint="delete it, and run `ourcli trust` again in each project"
            ) from exc

    def _write(self, content: _TrustFile) -> None:
        with atomic_write(self._path) as stream:
            stream.write(content.model_dump_json(indent=2).encode() + b"\n")


def _name(root: Path) -> str:
    return str(root.resolve())
