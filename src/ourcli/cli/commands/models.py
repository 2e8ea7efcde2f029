"""`ourcli models`: the registry."""

import click

from ourcli.cli.amounts import in_bytes
from ourcli.cli.groups import LazyCommand, LazyGroup
from ourcli.cli.invocation import Invocation
from ourcli.cli.model_view import show_models
from ourcli.cli.options import common_options
from ourcli.cli.ports import Facade
from ourcli.cli.progress import ProgressBars

_HERE = "ourcli.cli.commands.models"

COMMANDS: dict[str, LazyCommand] = {
    "list": LazyCommand(f"{_HERE}:list_models", "List the models that are known."),
    "pull": LazyCommand(f"{_HERE}:pull", "Fetch and verify a model."),
    "verify": LazyCommand(f"{_HERE}:verify", "Check the files of every installed model."),
    "use": LazyCommand(f"{_HERE}:use", "Use this model for its job from now on."),
    "remove": LazyCommand(f"{_HERE}:remove", "Delete the files of a model."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
@common_options()
def models() -> None:
    """List, fetch, check and choose models."""


@click.command("list")
@common_options()
@click.pass_obj
def list_models(invocation: Invocation) -> None:
    """List the models that are known: what is installed, what fits this machine, what is in use."""
    from ourcli.cli.run import run  # deferred: asyncio

    show_models(invocation, run(invocation, lambda service: service.models()))


@click.command()
@click.argument("model", metavar="ID")
@common_options()
@click.pass_obj
def pull(invocation: Invocation, *, model: str) -> None:
    """Fetch and verify a model.

    Needs OURCLI_NET=1. A download that was stopped goes on where it was.
    """
    from ourcli.cli.run import run  # deferred: asyncio

    async def work(service: Facade) -> None:
        for known in await service.models():
            if known.spec.id == model and not known.installed:
                invocation.diagnostics.notice(f"{model}: {in_bytes(known.spec.bytes)}, licence {known.spec.licence}")
        with ProgressBars(invocation.diagnostics) as bars:
            pulled = await service.pull(model, bars)
        show_models(invocation, [pulled])

    run(invocation, work)


@click.command()
@common_options()
@click.pass_obj
def verify(invocation: Invocation) -> None:
    """Check the files of every installed model against their digests."""
    from ourcli.cli.run import run  # deferred: asyncio

    show_models(invocation, run(invocation, lambda service: service.verify()))


@click.command()
@click.argument("model", metavar="ID")
@common_options()
@click.pass_obj
def use(invocation: Invocation, *, model: str) -> None:
    """Use this model for its job from now on."""
    from ourcli.cli.run import run  # deferred: asyncio

    show_models(invocation, [run(invocation, lambda service: service.use(model))])


@click.command()
@click.argument("model", metavar="ID")
@common_options()
@click.pass_obj
def remove(invocation: Invocation, *, model: str) -> None:
    """Delete the files of a model."""
    from ourcli.cli.run import run  # deferred: asyncio

    show_models(invocation, [run(invocation, lambda service: service.remove(model))])
