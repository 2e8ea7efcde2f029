"""`ourcli config`: show, get, set, check, path."""

import os
from typing import TYPE_CHECKING

import click

from ourcli.cli.groups import LazyCommand, LazyGroup
from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options

if TYPE_CHECKING:
    from ourcli.app.configuration import ShownSetting
    from ourcli.config.load import Loaded, Overrides
    from ourcli.config.locations import Home

_HERE = "ourcli.cli.commands.config"

COMMANDS: dict[str, LazyCommand] = {
    "show": LazyCommand(f"{_HERE}:show", "Show every setting."),
    "get": LazyCommand(f"{_HERE}:get", "Print one setting."),
    "set": LazyCommand(f"{_HERE}:set_", "Change one setting in your configuration file."),
    "check": LazyCommand(f"{_HERE}:check", "Check everything that configures ourcli."),
    "path": LazyCommand(f"{_HERE}:path", "Print the path of your configuration file."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
@common_options()
def config() -> None:
    """Show, set and check settings.

    A flag wins over OURCLI_<SECTION>_<KEY>, that over the project's .ourcli.toml, that over your configuration
    file, that over the default.
    """


@click.command()
@click.option("--origin", is_flag=True, help="Show where each value came from.")
@common_options()
@click.pass_obj
def show(invocation: Invocation, *, origin: bool) -> None:
    """Show every setting."""
    from ourcli.app import configuration  # deferred: pydantic

    rows = configuration.show(_loaded(invocation))
    if invocation.json:
        invocation.output.document({"settings": [_as_json(row) for row in rows]})
    elif origin:
        invocation.output.table(("key", "value", "origin"), [(row.key, _words(row), row.origin) for row in rows])
    else:
        invocation.output.table(("key", "value"), [(row.key, _words(row)) for row in rows])


@click.command()
@click.argument("key")
@common_options()
@click.pass_obj
def get(invocation: Invocation, *, key: str) -> None:
    """Print one setting, such as ai.llm_model."""
    from ourcli.app import configuration  # deferred: pydantic

    row = configuration.show_one(_loaded(invocation), key)
    if invocation.json:
        invocation.output.document(_as_json(row))
    else:
        invocation.output.text(row.value if isinstance(row.value, str) else row.text)


@click.command(name="set")
@click.argument("key")
@click.argument("value")
@common_options()
@click.pass_obj
def set_(invocation: Invocation, *, key: str, value: str) -> None:
    """Change one setting in your configuration file; its comments stay.

    A list is written as `a, b` or as `["a", "b"]`. Nothing is written that would not load.
    """
    from ourcli.app import configuration  # deferred: pydantic

    changed = configuration.set_setting(_home(), os.environ, key, value)
    if changed.hidden_by:
        invocation.diagnostics.warning(f"{changed.hidden_by} is set and wins over {changed.key}")
    if invocation.json:
        invocation.output.document({"key": changed.key, "value": changed.value, "path": changed.path})
    else:
        invocation.diagnostics.notice(f"{changed.key} = {changed.text} in {changed.path}")


@click.command()
@common_options()
@click.pass_obj
def check(invocation: Invocation) -> None:
    """Check everything that configures ourcli, and show schedules in words."""
    from datetime import UTC, datetime  # deferred: only this command needs the time

    from ourcli.app import configuration  # deferred: pydantic

    checked = configuration.check(
        _home(), os.environ, configuration.working_folder(), _overrides(invocation), now=datetime.now(UTC)
    )
    _warn(invocation, checked.loaded)
    if invocation.json:
        invocation.output.document(
            {
                "config_file": checked.loaded.config_file,
                "project_file": checked.loaded.project_file,
                "project_trusted": checked.loaded.project_trusted,
                "network": checked.network,
                "schedules": checked.schedules,
                "warnings": checked.loaded.warnings,
            }
        )
        return
    rows = [
        (plan.key, plan.expression, plan.in_words, f"{plan.next_run.astimezone():%Y-%m-%d %H:%M:%S %Z}")
        for plan in checked.schedules
    ]
    invocation.output.table(("key", "schedule", "in words", "next run"), rows)
    invocation.diagnostics.notice("the configuration is valid")


@click.command()
@common_options()
@click.pass_obj
def path(invocation: Invocation) -> None:
    """Print the path of your configuration file. It need not exist."""
    from ourcli.config.load import user_file  # deferred: pydantic

    home = _home()
    file = user_file(home, os.environ)
    if invocation.json:
        invocation.output.document({"path": file, "home": home.root, "exists": file.is_file()})
    else:
        invocation.output.text(str(file))


def _home() -> "Home":
    from ourcli.config.locations import Home  # deferred: pydantic

    return Home.from_environment(os.environ)


def _loaded(invocation: Invocation) -> "Loaded":
    from ourcli.app import configuration  # deferred: pydantic

    loaded = configuration.load_checked(_home(), os.environ, configuration.working_folder(), _overrides(invocation))
    _warn(invocation, loaded)
    return loaded


def _overrides(invocation: Invocation) -> "Overrides":
    from ourcli.config.load import Overrides  # deferred: pydantic

    return Overrides(project=invocation.project)


def _warn(invocation: Invocation, loaded: "Loaded") -> None:
    for warning in loaded.warnings:
        invocation.diagnostics.warning(warning)


def _words(row: "ShownSetting") -> str:
    return f"{row.text}  ({row.in_words})" if row.in_words else row.text


def _as_json(row: "ShownSetting") -> dict[str, object]:
    data: dict[str, object] = {"key": row.key, "value": row.value, "origin": row.origin, "source": row.source}
    return {**data, "in_words": row.in_words} if row.in_words else data
