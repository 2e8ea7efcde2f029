"""`ourcli init`: start a project here."""

import click

from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options


@click.command()
@common_options()
@click.pass_obj
def init(invocation: Invocation) -> None:
    """Start a project here: write a commented .ourcli.toml.

    The project is named as --project says, else after the folder. A file that exists is never touched.
    """
    from ourcli.app import configuration, projects  # deferred: pydantic

    path = projects.init(configuration.working_folder(), invocation.project)
    if invocation.json:
        invocation.output.document({"path": path})
    else:
        invocation.diagnostics.notice(f"wrote {path}")
