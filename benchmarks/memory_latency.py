"""How long a search takes in memories of growing size, beside plain LanceDB and brute force.

    python -m benchmarks.memory_latency [--rows 10000 100000] [--million] [--corpus F] [--searches 100] [--plot F]

Each size is measured by `ourcli bench latency` in a process and a store of its own. Real texts, 20,000 at most, are
embedded by the installation's model; larger stores are grown from them by noise fitted to them.

Goals, one search at a time, the question's embedding included: p95 15 ms at 10,000 records, 30 ms at 100,000, 50 ms at
a million, with a project filter the same; 20,000 records/s of bulk add; 1.5 GB of memory at a million.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import TypedDict

from benchmarks.ask_cold import models_folder
from benchmarks.child import OURCLI, run
from benchmarks.plot import Line, draw
from benchmarks.report import Row, show

GOAL_P95_MS = {10_000: 15.0, 100_000: 30.0, 1_000_000: 50.0}
GOAL_ADD = 20_000.0
GOAL_RSS_GB = 1.5
PLOT = Path(__file__).with_suffix(".png")


class OneRun(TypedDict):
    """Searches of one kind in the report."""

    engine: str
    project: bool
    in_flight: int
    ms: dict[str, float]
    recall: float | None


class Report(TypedDict):
    """What this benchmark reads of `bench latency --json`."""

    rows: int
    real_texts: int
    source: str
    runs: list[OneRun]
    stages_ms: dict[str, float]
    add_rows_per_s: float
    index_s: float
    rss_bytes: int


def measure(rows: int, corpus: Path | None, searches: int) -> Report:
    """Run the product's own command."""
    command = [*OURCLI, "bench", "latency", "--rows", str(rows), "--searches", str(searches), "--json"]
    command += ["--corpus", str(corpus)] if corpus else []
    with tempfile.TemporaryDirectory() as home:
        environment = {"OURCLI_HOME": home, "OURCLI_PATHS_MODELS": str(models_folder()), "OURCLI_NET": "0"}
        report: Report = json.loads(run(command, environment).output)
    return report


def search_rows(report: Report) -> list[Row]:
    """Return a line for each kind of search; the goal is ours alone, one at a time."""
    goal = GOAL_P95_MS.get(report["rows"])
    found: list[Row] = []
    for one in report["runs"]:
        judged = goal is not None and one["engine"] == "ourcli" and one["in_flight"] == 1
        found.append(
            {
                "records": report["rows"],
                "engine": one["engine"],
                "project": "one of four" if one["project"] else "all",
                "in flight": one["in_flight"],
                "p50 ms": one["ms"]["p50"],
                "p95 ms": one["ms"]["p95"],
                "p99 ms": one["ms"]["p99"],
                "recall@200": one["recall"],
                "goal p95 ms": goal if judged else None,
                "met": one["ms"]["p95"] <= goal if judged and goal is not None else None,
            }
        )
    return found


def store_row(report: Report) -> Row:
    """Return a line for the store itself."""
    rss_gb = report["rss_bytes"] / 1e9
    return {
        "records": report["rows"],
        "real texts": report["real_texts"],
        "bulk add records/s": report["add_rows_per_s"],
        "add met": report["add_rows_per_s"] >= GOAL_ADD,
        "indexed in s": report["index_s"],
        "memory GB": rss_gb,
        "memory met": rss_gb <= GOAL_RSS_GB,
        **{f"{name} ms": value for name, value in report["stages_ms"].items()},
    }


def lines(reports: list[Report]) -> list[Line]:
    """Return p95 by size, a line for each engine and filter, one search at a time."""
    kinds = [(one["engine"], one["project"]) for one in reports[0]["runs"] if one["in_flight"] == 1]
    return [
        Line(
            name=f"{engine}{', one project' if project else ''}",
            points=tuple(
                (float(report["rows"]), one["ms"]["p95"])
                for report in reports
                for one in report["runs"]
                if (one["engine"], one["project"], one["in_flight"]) == (engine, project, 1)
            ),
        )
        for engine, project in kinds
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000], help="sizes (10000 100000)")
    parser.add_argument("--million", action="store_true", help="measure a million too: an hour, 8 GB of disk")
    parser.add_argument("--corpus", type=Path, help="JSON lines with real texts, instead of Python's documentation")
    parser.add_argument("--searches", type=int, default=100, help="of each kind (100)")
    parser.add_argument("--plot", type=Path, help=f"where the plot goes, e.g. {PLOT.name}; none without")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    arguments = parser.parse_args()
    sizes = [*arguments.rows, *([1_000_000] if arguments.million else [])]
    reports = [measure(rows, arguments.corpus, arguments.searches) for rows in sizes]
    found = [row for report in reports for row in search_rows(report)]
    show(found, about=f"searches, 200 candidates a leg; {reports[0]['source']}", as_json=arguments.json)
    show([store_row(report) for report in reports], about="stores, and our search by stage", as_json=arguments.json)
    if arguments.plot:
        draw(lines(reports), title="p95 of a search, ms, by records", path=arguments.plot)


if __name__ == "__main__":
    main()
