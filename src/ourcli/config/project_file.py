"""The `.ourcli.toml` of a project: found upwards from the working folder, and believed as far as it is trusted.

A project comes from strangers (a clone). Before `ourcli trust` its file may set the project's name and the
ingest patterns; whatever else it holds, and however broken it is, costs one warning and never an error.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ourcli.common.errors import ConfigError, NotFoundError
from ourcli.config.keys import Key, all_keys, sections, shorten
from ourcli.config.sources import Given, Layer, from_document, given_in
from ourcli.config.toml_file import PROJECT_LIMIT_BYTES, Document, parse, read, read_bytes
from ourcli.config.trust import TrustState, TrustStore

FILE_NAME = ".ourcli.toml"
ALLOWED_UNTRUSTED = ("project", "ingest.include", "ingest.exclude")
_MOST_NAMES = 5
_MOST_CHARACTERS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFile:
    """A project's file, as far as it counts.

    Attributes:
        path: The file; its folder is the project's root.
        state: `trusted`, `untrusted`, or `changed` since it was trusted.
        layer: The settings that count.
        warning: What was ignored and why, one line, or "".
    """

    path: Path
    state: TrustState
    layer: Layer = field(default_factory=dict)
    warning: str = ""


def find(working_folder: Path) -> Path | None:
    """Return the nearest `.ourcli.toml` in `working_folder` or above, whatever it is, or None."""
    for folder in (working_folder, *working_folder.parents):
        candidate = folder / FILE_NAME
        try:
            candidate.lstat()
        except OSError:
            continue
        return candidate
    return None


def read_project(path: Path, trust: TrustStore) -> ProjectFile:
    """Return what the project's file says, as far as it counts.

    Raises:
        ConfigError: The file is trusted and has an error, or the user's file of trust is damaged.
    """
    try:
        document = read(path, limit=PROJECT_LIMIT_BYTES)
    except FileNotFoundError:
        return ProjectFile(path=path, state="untrusted", warning=f"{path} is ignored: it is a link to nothing")
    except ConfigError as exc:
        return ProjectFile(path=path, state="untrusted", warning=_cut(f"{path} is ignored: {exc.message}"))
    state = trust.state(path.parent, document.sha256)
    if state == "trusted":
        return ProjectFile(path=path, state=state, layer=from_document(document, "project"))
    layer, ignored = _harmless(document)
    return ProjectFile(path=path, state=state, layer=layer, warning=_warning(path, state, ignored))


def trust_project(path: Path, trust: TrustStore) -> Layer:
    """Trust the project's file as it is now, and return all that it sets.

    Raises:
        NotFoundError: There is no such file.
        ConfigError: It has an error; nothing is trusted.
        StoreError: The trust cannot be written down.
    """
    try:
        content = read_bytes(path, limit=PROJECT_LIMIT_BYTES)
    except FileNotFoundError as exc:
        raise NotFoundError(f"{str(path)!r} does not exist", hint="`ourcli init` starts a project") from exc
    document = parse(content, path)
    layer = from_document(document, "project")
    trust.add(path.parent, document.sha256)
    return layer


def _harmless(document: Document) -> tuple[Layer, list[str]]:
    """Return the values a stranger may set, and the names of everything else."""
    layer: dict[str, Given] = {}
    ignored: list[str] = []
    for name, value in _flat(document.table):
        key = _allowed(name)
        given = _lenient(document, key, value) if key else None
        if key is None or given is None:
            ignored.append(name)
        else:
            layer[key.name] = given
    return layer, ignored


def _flat(table: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if name in sections() and isinstance(value, dict):
            yield from ((f"{name}.{inner}", entry) for inner, entry in value.items())
        else:
            yield name, value


def _allowed(name: str) -> Key | None:
    return all_keys()[name] if name in ALLOWED_UNTRUSTED else None


def _lenient(document: Document, key: Key, value: object) -> Given | None:
    """Return the value, or None when it is not valid: a stranger's mistake is no reason to stop."""
    try:
        return given_in(document, key, value, "project")
    except ConfigError:
        return None


def _warning(path: Path, state: TrustState, ignored: list[str]) -> str:
    if not ignored and state == "untrusted":
        return ""
    why = "has changed since you trusted it" if state == "changed" else "is not trusted"
    if not ignored:
        return f"{path} {why}; read it, then run `ourcli trust`"
    names = ", ".join(shorten(name)[1:-1] for name in ignored[:_MOST_NAMES])
    more = f" and {len(ignored) - _MOST_NAMES} more" if len(ignored) > _MOST_NAMES else ""
    verb = "is" if len(ignored) == 1 else "are"
    return f"{path} {why}: {names}{more} {verb} ignored; read it, then run `ourcli trust`"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_CHARACTERS else f"{line[: _MOST_CHARACTERS - 1]}…"
