"""`ourcli setup`: fetch the models that fit this machine, after asking."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ourcli.cli.amounts import in_bytes
from ourcli.cli.invocation import Invocation
from ourcli.cli.model_view import model_data
from ourcli.cli.options import common_options
from ourcli.cli.ports import Facade
from ourcli.cli.progress import ProgressBars
from ourcli.common.errors import ApprovalNeededError, OurcliError, UsageError

if TYPE_CHECKING:
    from ourcli.ai.models.library import ModelStatus, PlannedDownload


@click.command()
@click.option("--yes", is_flag=True, help="Download without asking.")
@click.option("--llm", metavar="ID", help="Take this language model of the registry.")
@click.option("--small", is_flag=True, help="Take the smallest language model: for tests and tiny machines.")
@common_options()
@click.pass_obj
def setup(invocation: Invocation, *, yes: bool, llm: str | None, small: bool) -> None:
    """Fetch and verify the models that fit this machine.

    Says what is fetched, from where, how much and why, and asks first. When everything is here already
    it says so at once and needs no network.
    """
    from ourcli.cli.run import run  # deferred: asyncio

    if llm and small:
        raise UsageError("--llm and --small exclude each other", hint="give one of them")
    run(invocation, lambda service: _set_up(invocation, service, llm=llm, small=small, yes=yes))


async def _set_up(invocation: Invocation, service: Facade, *, llm: str | None, small: bool, yes: bool) -> None:
    planned = await service.setup_plan(llm, small)
    if planned:
        _show(invocation, planned)
        if not yes:
            _ask(invocation)
    with ProgressBars(invocation.diagnostics) as bars:
        models = await service.setup(llm, small, bars)
    if not planned:
        invocation.diagnostics.notice("nothing to do: the models are here")
    _report(invocation, models)


def _show(invocation: Invocation, planned: "Sequence[PlannedDownload]") -> None:
    """Say what would be fetched: on stdout, or on stderr when stdout carries JSON."""
    total = f"{in_bytes(sum(download.bytes for download in planned))} in all"
    if invocation.json:
        for item in planned:
            place = item.sources[0] if item.sources else "nowhere"
            invocation.diagnostics.notice(
                f"{item.spec.id}: {in_bytes(item.bytes)} from {place}, {item.licence}: {item.why}"
            )
        invocation.diagnostics.notice(total)
        return
    invocation.output.table(
        ("model", "size", "licence", "from", "why"),
        [
            (item.spec.id, in_bytes(item.bytes), item.licence, ", else ".join(item.sources), item.why)
            for item in planned
        ],
    )
    invocation.output.text(total)


def _ask(invocation: Invocation) -> None:
    if not invocation.interactive:
        raise ApprovalNeededError("the download needs your consent, and nobody is here to ask", hint="add --yes")
    if not click.confirm("Download?", default=True, err=True):
        raise OurcliError("nothing was downloaded: you said no", hint="run `ourcli setup` again when you want it")


def _report(invocation: Invocation, models: "Sequence[ModelStatus]") -> None:
    if invocation.json:
        invocation.output.document({"models": [model_data(model) for model in models]})
        return
    invocation.output.table(
        ("model", "size", "path"), [(model.spec.id, in_bytes(model.spec.bytes), str(model.path)) for model in models]
    )
