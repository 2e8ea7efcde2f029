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
    from ourcli.app.bench.benching import RetrievalReport
    from ourcli.app.bench.latency_report import LatencyReport

COMMANDS: dict[str, LazyCommand] = {
    "latency": LazyCommand("ourcli.cli.commands.bench:latency", "Measure how long a search takes in a large memory."),
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


@click.command()
@click.option(
    "--rows",
    metavar="N",
    type=click.IntRange(100, 10_000_000),
    default=10_000,
    show_default=True,
    help="How many records.",
)
@click.option(
    "--corpus", metavar="F", type=_FILE, help="JSON lines with a text each; otherwise this Python's own documentation."
)
@click.option(
    "--searches",
    metavar="N",
    type=click.IntRange(2, 10_000),
    default=100,
    show_default=True,
    help="How many of each kind.",
)
@common_options()
@click.pass_obj
def latency(invocation: Invocation, *, rows: int, corpus: Path | None, searches: int) -> None:
    """Measure how long a search takes in a memory of N records, beside plain LanceDB and brute force.

    Up to 20,000 real texts are embedded; more records are grown from them by noise fitted to them. 90 % are assets,
    9 % insights, 1 % interact; a quarter of each is in the project that is asked for. All stores are thrown away.
    """
    from ourcli.cli.run import run  # deferred: asyncio

    async def work(service: Facade) -> "LatencyReport":
        with ProgressBars(invocation.diagnostics) as bars:
            return await service.bench_latency(rows, corpus, searches, bars)

    report = run(invocation, work)
    if invocation.json:
        invocation.output.document(report)
        return
    _show_latency(invocation, report)


def _show_latency(invocation: Invocation, report: "LatencyReport") -> None:
    invocation.output.table(
        ("engine", "project", "in flight", "p50 ms", "p95 ms", "p99 ms", "recall@200"),
        [
            (
                one.engine,
                "one of four" if one.project else "all",
                str(one.in_flight),
                *(f"{value:.1f}" for value in one.ms.values()),
                "-" if one.recall is None else f"{one.recall:.3f}",
            )
            for one in report.runs
        ],
    )
    layers = ", ".join(f"{count} {layer}" for layer, count in report.layers.items())
    grown = report.rows - report.real_texts
    invocation.output.text(f"{report.rows} records ({layers}): {report.real_texts} {report.source}, {grown} grown")
    stages = ", ".join(f"{name} {value:.1f} ms" for name, value in report.stages_ms.items())
    invocation.output.text(f"stages of one search, on average: {stages}")
    invocation.output.text(
        f"bulk add {report.add_rows_per_s:.0f} records/s, compacted and indexed in {report.index_s:.1f} s, "
        f"{report.rss_bytes / 1e9:.2f} GB of memory after our searches"
    )


def _row(name: str, values: Mapping[str, float], columns: Mapping[str, float]) -> tuple[str, ...]:
    return (name, *(f"{values[column]:.3f}" if column in values else "-" for column in columns))
