"""`ourcli trust`: believe a project's own file."""

import os
from pathlib import Path

import click

from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options
from ourcli.common.errors import UsageError


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--list", "list_", is_flag=True, help="List the projects you trust.")
@click.option("--revoke", is_flag=True, help="Trust the project no more.")
@common_options()
@click.pass_obj
def trust(invocation: Invocation, *, path: Path | None, list_: bool, revoke: bool) -> None:
    """Trust a project's own files, as they are now.

    PATH is the project's folder; without it, the nearest one that holds a .ourcli.toml. When that file
    changes, the project is not trusted any more until you say so again.
    """
    if list_ and (revoke or path):
        raise UsageError("--list stands alone", hint="see `ourcli trust --help`")
    if list_:
        _list(invocation)
    elif revoke:
        _revoke(invocation, path)
    else:
        _trust(invocation, path)


def _trust(invocation: Invocation, path: Path | None) -> None:
    from ourcli.app import configuration, projects  # deferred: pydantic
    from ourcli.config.locations import Home  # deferred: pydantic

    project = projects.trust(Home.from_environment(os.environ), path, configuration.working_folder())
    if invocation.json:
        invocation.output.document({"trusted": {"root": project.root, "sets": project.sets}})
        return
    for name, value in project.sets.items():
        invocation.diagnostics.notice(f"it sets {name} = {value}")
    invocation.diagnostics.notice(f"{project.root} is trusted until its .ourcli.toml changes")


def _list(invocation: Invocation) -> None:
    from ourcli.app import projects  # deferred: pydantic
    from ourcli.config.locations import Home  # deferred: pydantic

    records = projects.trusted(Home.from_environment(os.environ))
    if invocation.json:
        invocation.output.document({"projects": records})
    else:
        invocation.output.table(("project", "sha256"), [(str(record.root), record.sha256) for record in records])


def _revoke(invocation: Invocation, path: Path | None) -> None:
    from ourcli.app import configuration, projects  # deferred: pydantic
    from ourcli.config.locations import Home  # deferred: pydantic

    root = projects.revoke(Home.from_environment(os.environ), path, configuration.working_folder())
    if invocation.json:
        invocation.output.document({"revoked": {"root": root}})
    else:
        invocation.diagnostics.notice(f"{root} is not trusted any more")
