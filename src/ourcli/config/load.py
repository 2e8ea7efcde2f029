"""Settings from all their sources: flag > `OURCLI_*` > project file > user file > default."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from ourcli.common.errors import ConfigError
from ourcli.config.keys import Key, all_keys
from ourcli.config.locations import Home, expanded
from ourcli.config.project_file import ProjectFile, find, read_project
from ourcli.config.settings import Settings
from ourcli.config.sources import Given, Layer, Origin, from_document, from_environment, from_flags
from ourcli.config.toml_file import read
from ourcli.config.trust import TrustStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What flags of the command line gave.

    Attributes:
        project: `--project`, or None.
        values: Any setting by its dotted key (`ai.llm_model`), in the key's own type.
    """

    project: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)

    def by_key(self) -> Mapping[str, object]:
        """Return all of them by key."""
        return dict(self.values) if self.project is None else {**self.values, "project": self.project}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings, and where each of them came from.

    Attributes:
        settings: The values.
        origins: Where each value came from, by key, for every key.
        config_file: The user's file; it need not exist.
        project_file: The `.ourcli.toml` that was found, or None. Its folder is the project's root.
        project_trusted: The user trusts that project as it is now.
        warnings: What was ignored and why, a line each.
    """

    settings: Settings
    origins: Mapping[str, Origin]
    config_file: Path
    project_file: Path | None
    project_trusted: bool
    warnings: tuple[str, ...]


NO_OVERRIDES = Overrides()


def load(
    home: Home, environment: Mapping[str, str], working_folder: Path, overrides: Overrides = NO_OVERRIDES
) -> Loaded:
    """Return the settings that hold in `working_folder`. Nothing is written.

    Raises:
        ConfigError: A source cannot be read, names an unknown key or holds a wrong value. What an untrusted
            project file holds is never an error.
    """
    config_file = user_file(home, environment)
    user = _user_layer(config_file, named="OURCLI_CONFIG" if environment.get("OURCLI_CONFIG") else "")
    project = _project(home, working_folder)
    variables, warnings = from_environment(environment)
    flags = from_flags(overrides.by_key())
    layers = (user, project.layer if project else {}, variables, flags)
    given: dict[str, Given] = {}
    for layer in layers:
        given.update(layer)
    return Loaded(
        settings=assemble(given),
        origins=MappingProxyType({name: _origin(given, name) for name in all_keys()}),
        config_file=config_file,
        project_file=project.path if project else None,
        project_trusted=project is not None and project.state == "trusted",
        warnings=(project.warning, *warnings) if project and project.warning else warnings,
    )


def user_file(home: Home, environment: Mapping[str, str]) -> Path:
    """Return the user's file: `OURCLI_CONFIG`, else `config.toml` in the home."""
    named = environment.get("OURCLI_CONFIG", "")
    return expanded(named, "OURCLI_CONFIG").absolute() if named else home.config_file


def assemble(layer: Layer) -> Settings:
    """Return settings with the checked values of `layer`, and defaults for the rest."""
    tables: dict[str, object] = {}
    inner: dict[str, dict[str, object]] = {}
    for name, given in layer.items():
        key: Key = all_keys()[name]
        if key.section:
            inner.setdefault(key.section, {})[key.field] = given.value
        else:
            tables[key.field] = given.value
    return Settings.model_validate({**tables, **inner})


def _origin(given: Layer, name: str) -> Origin:
    return given[name].origin if name in given else Origin(kind="default")


def _user_layer(path: Path, *, named: str) -> Layer:
    try:
        return from_document(read(path), "user")
    except FileNotFoundError as exc:
        if not named:
            return {}
        message = f"{named} is {str(path)!r}, which does not exist"
        raise ConfigError(message, hint="correct it, or create the file with `ourcli config set`") from exc


def _project(home: Home, working_folder: Path) -> ProjectFile | None:
    path = find(working_folder)
    return read_project(path, TrustStore(home.trust_file)) if path else None
