"""`plugins.lock`: the digest of every file of the plugins that were added, so that a later change is seen."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from ourcli.common.errors import PluginError, StoreError
from ourcli.tools.plugins import Plugin, read_plain

MOST_FILES: Final = 256
MOST_FILE_BYTES: Final = 64 * 1024 * 1024
MOST_LOCK_BYTES: Final = 16 * 1024 * 1024
_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Locked(BaseModel):
    """A plugin as it was when it was added."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    added_at: AwareDatetime
    source: str
    files: dict[str, _Digest]


class Lock(BaseModel):
    """All plugins that were added, by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    plugins: dict[str, Locked] = {}

    def having(self, name: str, locked: Locked) -> "Lock":
        """Return the lock with one more plugin."""
        return Lock(plugins=dict(sorted({**self.plugins, name: locked}.items())))

    def without(self, name: str) -> "Lock":
        """Return the lock without a plugin."""
        return Lock(plugins={key: value for key, value in self.plugins.items() if key != name})


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A plugin that was added, with its files' digests, and whether one of its name was replaced."""

    plugin: Plugin
    files: dict[str, str]
    replaced: bool


def read_lock(path: Path) -> Lock:
    """Return what a lock file says; one that is not there locks nothing.

    Raises:
        StoreError: It is damaged, so no plugin can be held against it.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_LOCK_BYTES + 1)
    except FileNotFoundError:
        return Lock()
    except OSError as exc:
        raise StoreError(f"cannot read {str(path)!r}: {exc.strerror or exc}", hint="check its permissions") from exc
    try:
        return Lock.model_validate_json(content)
    except ValidationError as exc:
        raise StoreError(
            f"{str(path)!r} is damaged, so the plugins cannot be held against it",
            hint="move it away, and add the plugins again with `ourcli plugins add PATH --replace`",
        ) from exc


def digests(folder: Path) -> Mapping[str, str]:
    """Return the sha256 of every file of a plugin's folder, by name.

    Raises:
        PluginError: Something in it is no plain file, or there is too much of it.
    """
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as exc:
        raise PluginError(f"cannot read {str(folder)!r}: {exc.strerror or exc}", hint="check its permissions") from exc
    if len(names) > MOST_FILES:
        raise PluginError(
            f"{str(folder)!r} holds more than {MOST_FILES} files", hint="remove what does not belong there"
        )
    return {name: hashlib.sha256(read_plain(folder / name, most_bytes=MOST_FILE_BYTES)).hexdigest() for name in names}


def faults(folder: Path, locked: Locked) -> tuple[str, ...]:
    """Return what of a plugin's folder is not as it was added, a line each; empty when all of it is."""
    try:
        found = digests(folder)
    except PluginError as exc:
        return (exc.message,)
    lines = []
    for name in sorted({*found, *locked.files}):
        if name not in found:
            lines.append(f"{name} is gone")
        elif name not in locked.files:
            lines.append(f"{name!r} was added")
        elif found[name] != locked.files[name]:
            lines.append(f"{name} changed")
    return tuple(lines)
