"""The facade's side of configuration: settings whose schedules and rules mean something, checked, shown, changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ourcli.common.errors import ConfigError
from ourcli.config.describe import describe
from ourcli.config.edit import set_value
from ourcli.config.flags import LogSpec, network_allowed, parse_log_spec
from ourcli.config.keys import find_key, shown
from ourcli.config.load import NO_OVERRIDES, Loaded, Overrides, load, user_file
from ourcli.config.locations import Home
from ourcli.config.settings import Settings
from ourcli.memory.indexing import Indexes, read_index
from ourcli.scheduler.cron import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleInWords:
    """A schedule of the settings, for people.

    Attributes:
        key: The setting.
        expression: Six cron fields.
        in_words: What they mean.
        next_run: When it runs next, aware, UTC.
    """

    key: str
    expression: str
    in_words: str
    next_run: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSetting:
    """A setting, for people and programs.

    Attributes:
        key: Dotted key.
        value: JSON data.
        text: The value as it is written in the file.
        origin: The place that set it: a file and line, a variable, `flag` or `default`.
        source: default, user, project, environment or flag.
        in_words: What a schedule means; None for everything else.
    """

    key: str
    value: object
    text: str
    origin: str
    source: str
    in_words: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedSetting:
    """A setting that was written.

    Attributes:
        key: Dotted key.
        value: JSON data.
        text: The value as it is written in the file.
        path: The file.
        hidden_by: The environment variable that overrides it now, or None.
    """

    key: str
    value: object
    text: str
    path: Path
    hidden_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Configuration in which no error was found.

    Attributes:
        loaded: The settings.
        schedules: Every schedule.
        network: `OURCLI_NET=1` is set.
        log: What `OURCLI_LOG` asks for.
    """

    loaded: Loaded
    schedules: tuple[ScheduleInWords, ...]
    network: bool
    log: LogSpec


def load_checked(
    home: Home, environment: Mapping[str, str], working_folder: Path, overrides: Overrides = NO_OVERRIDES
) -> Loaded:
    """Return the settings that hold in `working_folder`, with schedules and rules that are known to be valid.

    Raises:
        ConfigError: As `load`, or a schedule or a rule is not valid.
    """
    loaded = load(home, environment, working_folder, overrides)
    parse_schedules(loaded.settings, loaded)
    check_rules(loaded.settings, loaded)
    read_indexes(loaded.settings, loaded)
    return loaded


def read_indexes(settings: Settings, loaded: Loaded | None = None) -> Indexes:
    """Return which vector index each layer gets.

    Raises:
        ConfigError: One does not exist; names the key, and where it was set when `loaded` is given.
    """
    chosen = settings.memory
    try:
        return Indexes(
            interact=read_index("memory.index_interact", chosen.index_interact),
            insights=read_index("memory.index_insights", chosen.index_insights),
            assets=read_index("memory.index_assets", chosen.index_assets),
        )
    except ConfigError as exc:
        place = f"{loaded.origins[exc.message.partition(' ')[0]]}: " if loaded else ""
        raise ConfigError(f"{place}{exc.message}", hint=exc.hint) from exc


def check_rules(settings: Settings, loaded: Loaded | None = None) -> None:
    """Return when the promotion and decay rules are valid.

    Raises:
        ConfigError: One is not; names the rule and the field, and where the rules were set when `loaded` is given.
    """
    if not settings.memory.rules:
        return
    from ourcli.memory.policy.reading import validate_rules  # deferred: loads numpy, and few users write rules

    try:
        validate_rules(settings.memory.rules)
    except ConfigError as exc:
        place = f"{loaded.origins['memory.rules']}: " if loaded else ""
        raise ConfigError(f"{place}{exc.message}", hint=exc.hint) from exc


def parse_schedules(settings: Settings, loaded: Loaded | None = None) -> Mapping[str, Schedule]:
    """Return every schedule by its setting's key.

    Raises:
        ConfigError: One is not valid; names the key, and where it was set when `loaded` is given.
    """
    found: dict[str, Schedule] = {}
    for field in type(settings.scheduler).model_fields:
        key = f"scheduler.{field}"
        place = f"{loaded.origins[key]}: " if loaded else ""
        try:
            found[key] = Schedule.parse(str(getattr(settings.scheduler, field)))
        except ConfigError as exc:
            raise ConfigError(f"{place}{key}: {exc.message}", hint=exc.hint) from exc
    return found


def check(
    home: Home,
    environment: Mapping[str, str],
    working_folder: Path,
    overrides: Overrides = NO_OVERRIDES,
    *,
    now: datetime,
) -> Checked:
    """Look at everything that configures ourcli.

    Args:
        home: Where the files are.
        environment: `OURCLI_*` variables count.
        working_folder: Where the project file is looked for.
        overrides: What flags gave.
        now: Next runs come after it; aware.

    Raises:
        ConfigError: The first error that was found.
    """
    loaded = load(home, environment, working_folder, overrides)
    schedules = parse_schedules(loaded.settings, loaded)
    check_rules(loaded.settings, loaded)
    read_indexes(loaded.settings, loaded)
    return Checked(
        loaded=loaded,
        schedules=tuple(
            ScheduleInWords(
                key=key,
                expression=schedule.expression,
                in_words=schedule.in_words(),
                next_run=schedule.next_run(now),
            )
            for key, schedule in schedules.items()
        ),
        network=network_allowed(environment),
        log=parse_log_spec(environment.get("OURCLI_LOG", "")),
    )


def show(loaded: Loaded) -> tuple[ShownSetting, ...]:
    """Return every setting with its value, its origin, and its words where it is a schedule.

    Raises:
        ConfigError: A schedule is not valid.
    """
    words = {key: schedule.in_words() for key, schedule in parse_schedules(loaded.settings, loaded).items()}
    return tuple(
        ShownSetting(
            key=row.key,
            value=row.value,
            text=row.text,
            origin=str(row.origin),
            source=row.origin.kind,
            in_words=words.get(row.key),
        )
        for row in describe(loaded)
    )


def show_one(loaded: Loaded, name: str) -> ShownSetting:
    """Return the setting called `name`.

    Raises:
        ConfigError: There is none; the hint names the nearest.
    """
    key = find_key(name)
    return next(row for row in show(loaded) if row.key == key.name)


def working_folder() -> Path:
    """Return the folder the process stands in.

    Raises:
        ConfigError: It was removed.
    """
    try:
        return Path.cwd()
    except FileNotFoundError as exc:
        raise ConfigError("the working folder does not exist any more", hint="change to another folder") from exc


def set_setting(home: Home, environment: Mapping[str, str], name: str, text: str) -> ChangedSetting:
    """Set a key in the user's file.

    Raises:
        ConfigError: The value, or the file with it, is not valid; nothing was written.
        StoreError: The file cannot be written.
    """
    path = user_file(home, environment)
    value = set_value(path, name, text, _check_meaning)
    variable = find_key(name).variable
    return ChangedSetting(
        key=name,
        value=list(value) if isinstance(value, tuple) else value,
        text=shown(value),
        path=path,
        hidden_by=variable if environment.get(variable) else None,
    )


def _check_meaning(settings: Settings) -> None:
    parse_schedules(settings)
    check_rules(settings)
    read_indexes(settings)
