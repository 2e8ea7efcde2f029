"""`ourcli doctor`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options
from ourcli.cli.ports import Facade
from ourcli.common.errors import ConfigError

if TYPE_CHECKING:
    from ourcli.app.doctor import Check


@click.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended; what is damaged is kept aside.")
@common_options()
@click.pass_obj
def doctor(invocation: Invocation, *, repair: bool) -> None:
    """Look for what is wrong, and mend it.

    Looks at the configuration, permissions, free space, models, the memory's journal, tables, format and indexes.
    Ends with 1 when something failed. With --repair it brings back all that the journal and readable tables hold.
    """
    from ourcli.app.doctor import Check, State  # deferred: pydantic
    from ourcli.cli.run import run  # deferred: asyncio

    async def work(service: Facade) -> tuple[Sequence[str], Sequence[Check]]:
        repaired = await service.repair() if repair else ()
        return repaired, await service.examine()

    try:
        repaired, checks = run(invocation, work)
    except ConfigError as exc:
        failed = Check(name="configuration", state=State.FAILED, message=exc.message, hint=exc.hint)
        repaired, checks = (), (failed,)
    _show(invocation, repaired, checks)
    if any(check.state is State.FAILED for check in checks):
        raise click.exceptions.Exit(1)


def _show(invocation: Invocation, repaired: Sequence[str], checks: Sequence["Check"]) -> None:
    output = invocation.output
    if invocation.json:
        output.document({"checks": checks, "repaired": repaired})
        return
    for line in repaired:
        output.text(line)
    output.table(("what", "state", "found"), [(check.name, check.state.value, check.message) for check in checks])
    for check in checks:
        if check.hint:
            invocation.diagnostics.notice(f"{check.name}: {check.hint}")
