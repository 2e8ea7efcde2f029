"""`ourcli ingest`: files into memory."""

from pathlib import Path

import click

from ourcli.app.requests import IngestReport
from ourcli.cli.invocation import Invocation
from ourcli.cli.options import allow_secrets_option, common_options
from ourcli.cli.ports import Facade
from ourcli.cli.progress import ProgressBars
from ourcli.memory.stored import told


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--watch", is_flag=True, help="Stay, and read files again whenever they change; Ctrl-C ends it.")
@allow_secrets_option
@common_options()
@click.pass_obj
def ingest(invocation: Invocation, *, paths: tuple[Path, ...], watch: bool, allow_secrets: bool) -> None:
    """Read files into memory, incrementally.

    Markdown, text, HTML and source code; what .gitignore names, binaries and files with secrets are left
    out, keys and passwords in the rest are replaced. Unchanged files are skipped, changed ones replaced,
    deleted ones removed. With --watch and --json a JSON line is printed for each round.
    """
    from ourcli.cli.run import run  # deferred: asyncio

    places = [path.absolute() for path in paths]

    async def work(service: Facade) -> None:
        with ProgressBars(invocation.diagnostics) as bars:
            if not watch:
                report = await service.ingest(places, invocation.project, bars, allow_secrets=allow_secrets)
                _report(invocation, report)
                return
            async with service.watch(places, invocation.project, bars, allow_secrets=allow_secrets) as rounds:
                async for report in rounds:
                    bars.close()
                    _report(invocation, report, lines=True)

    run(invocation, work)


def _report(invocation: Invocation, report: IngestReport, *, lines: bool = False) -> None:
    for problem in report.problems:
        invocation.diagnostics.detail(problem)
    for line in told(report.redacted):
        invocation.diagnostics.notice(line)
    if invocation.json:
        write = invocation.output.line if lines else invocation.output.document
        write(report)
        return
    more = " (-v says why)" if report.problems and not invocation.verbose else ""
    invocation.output.text(
        f"{report.files} files read, {report.chunks} new chunks, {report.skipped} files skipped{more}, "
        f"{report.removed} removed, {report.seconds:.1f} s"
    )
