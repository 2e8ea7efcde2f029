"""`ourcli memory vacuum`."""

from typing import TYPE_CHECKING

import click

from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options
from ourcli.cli.ports import Facade
from ourcli.cli.progress import ProgressBars

if TYPE_CHECKING:
    from ourcli.app.memory.vacuuming import Vacuumed


@click.command()
@common_options()
@click.pass_obj
def vacuum(invocation: Invocation) -> None:
    """Flush, expire, compact and index memory.

    Afterwards no file under the home holds a byte of what was forgotten. It can be stopped and started again
    at any time.
    """
    from ourcli.cli.run import run  # deferred: asyncio

    async def work(service: Facade) -> "Vacuumed":
        with ProgressBars(invocation.diagnostics) as bars:
            return await service.vacuum(bars)

    done = run(invocation, work)
    if invocation.json:
        invocation.output.document(done)
        return
    invocation.output.text(
        f"{done.flushed} changes flushed, {done.expired} records expired, {done.compacted} data files joined, "
        f"{done.indexed} rows indexed"
    )
