"""`ourcli bench`: measure this installation."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ourcli.cli.groups import LazyCommand, LazyGroup
from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options
from ourcli.cli.ports import Facade
from ourcli.cli.progress import ProgressBars

if TYPE_CHECKING:
    from ourcli.app.benching import RetrievalReport

COMMANDS: dict[str, LazyCommand] = {
    "retrieval": LazyCommand("ourcli.cli.commands.bench:retrieval", "Measure how well memory finds, and how fast."),
}

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(cls=LazyGroup, table=COMMANDS)
@common_options()
def bench() -> None:
    """Measure this installation on given data."""


@click.command()
@click.option("--corpus", metavar="F", required=True, type=_FILE, help="JSON lines: id, text, scope, session, ...")
@click.option("--queries", metavar="F", required=True, type=_FILE, help="JSON lines: id, query, scope, relevant.")
@click.option("--rerank", metavar="N", type=click.IntRange(0, 1_000), default=0, show_default=True, help="How many.")
@common_options()
@click.pass_obj
def retrieval(invocation: Invocation, *, corpus: Path, queries: Path, rerank: int) -> None:
    """Measure how well memory finds, and how fast, in a store of its own that is thrown away."""
    from ourcli.cli.run import run  # deferred: asyncio

    async def work(service: Facade) -> "RetrievalReport":
        with ProgressBars(invocation.diagnostics) as bars:
            return await service.bench_retrieval(corpus, queries, rerank, bars)

    report = run(invocation, work)
    if invocation.json:
        invocation.output.document(report)
        return
    named = {"all": report.metrics, **report.by_category}
    named |= {f"{leg} alone": metrics for leg, metrics in report.legs.items()}
    invocation.output.table(
        ("questions", *report.metrics), [_row(name, values, report.metrics) for name, values in named.items()]
    )
    latency = ", ".join(f"{name} {value:.1f} ms" for name, value in report.latency_ms.items())
    invocation.output.text(f"{report.queries} questions, {report.records} records; a search takes {latency}")
    stages = ", ".join(f"{name} {value:.1f} ms" for name, value in report.stages_ms.items())
    invocation.output.text(f"stages, on average: {stages}")


def _row(name: str, values: Mapping[str, float], columns: Mapping[str, float]) -> tuple[str, ...]:
    return (name, *(f"{values[column]:.3f}" if column in values else "-" for column in columns))
