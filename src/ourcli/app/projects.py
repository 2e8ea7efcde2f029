"""The facade's side of projects: start one, trust one, list and revoke trust. No network is involved."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ourcli.common.errors import ConfigError, InvalidInputError, NotFoundError, StoreError
from ourcli.config.keys import all_keys, check_value, shown
from ourcli.config.locations import Home
from ourcli.config.project_file import FILE_NAME, find, trust_project
from ourcli.config.trust import TrustStore

_TEMPLATE = """\
# The project file of ourcli. Everyone who works in this folder shares it.

# Whose memory is used here.
project = {name}

# Which files `ourcli ingest` reads; patterns as in .gitignore.
[ingest]
# include = ["*.md", "src/"]
# exclude = ["drafts/"]

# Any other setting of `ourcli config show` may stand here too, and counts for those who ran `ourcli trust`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedProject:
    """A project the user trusts.

    Attributes:
        root: Its folder.
        sets: What its file sets, as written there, by key.
    """

    root: Path
    sets: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRecord:
    """One line of the list of trust.

    Attributes:
        root: The project's folder.
        sha256: Digest of the `.ourcli.toml` that was trusted.
    """

    root: Path
    sha256: str


def trust(home: Home, path: Path | None, working_folder: Path) -> TrustedProject:
    """Trust a project's file as it is now.

    Args:
        home: Where trust is written down.
        path: The project's folder or its file; None for the nearest one upwards.
        working_folder: Where "upwards" begins.

    Raises:
        NotFoundError: There is no project file.
        ConfigError: It has an error; nothing is trusted.
        StoreError: The trust cannot be written down.
    """
    file = _project_file(path, working_folder)
    layer = trust_project(file, TrustStore(home.trust_file))
    return TrustedProject(root=file.parent.resolve(), sets={name: shown(given.value) for name, given in layer.items()})


def trusted(home: Home) -> tuple[TrustRecord, ...]:
    """Return every project the user trusts.

    Raises:
        ConfigError: The file of trust is damaged.
    """
    projects = TrustStore(home.trust_file).projects()
    return tuple(TrustRecord(root=Path(root), sha256=digest) for root, digest in sorted(projects.items()))


def revoke(home: Home, path: Path | None, working_folder: Path) -> Path:
    """Trust a project no more; return its folder. The folder need not exist any more.

    Raises:
        NotFoundError: It was not trusted.
        StoreError: The change cannot be written down.
    """
    root = _project_file(path, working_folder).parent
    TrustStore(home.trust_file).remove(root)
    return root.resolve()


def init(working_folder: Path, name: str | None) -> Path:
    """Write a commented project file into `working_folder`; return its path.

    Args:
        working_folder: The project's root.
        name: The project's name; None makes it of the folder's name.

    Raises:
        InvalidInputError: There is such a file already; it is not touched.
        ConfigError: The name cannot be used.
        StoreError: The file cannot be written.
    """
    project = check_value(all_keys()["project"], name if name is not None else _name_of(working_folder))
    path = working_folder / FILE_NAME
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(_TEMPLATE.format(name=shown(project)))
    except FileExistsError as exc:
        raise InvalidInputError(f"{str(path)!r} exists already", hint="edit it, or remove it first") from exc
    except OSError as exc:
        raise StoreError(f"cannot write {str(path)!r}: {exc.strerror or exc}", hint="check its permissions") from exc
    return path


def _project_file(path: Path | None, working_folder: Path) -> Path:
    if path is None:
        found = find(working_folder)
        if found is None:
            message = f"no {FILE_NAME} in {str(working_folder)!r} or above"
            raise NotFoundError(message, hint="`ourcli init` starts a project")
        return found
    absolute = working_folder / path
    if absolute.name == FILE_NAME and not absolute.is_dir():
        return absolute
    if absolute.is_file():
        raise ConfigError(f"{str(path)!r} is not a project", hint=f"name its folder or its {FILE_NAME}")
    return absolute / FILE_NAME


def _name_of(folder: Path) -> str:
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.name).lstrip("._-")[:64]
    return plain.rstrip("-") or "project"
