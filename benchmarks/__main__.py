"""Run all benchmarks, one after the other.

    python -m benchmarks [--quick] [--memory] [--million] [--json]

OURCLI_BENCH_DATA names the folder of data sets for retrieval; without it that part is left out. OURCLI_TEST_MODELS,
which `make bench` sets, names the folder of models. With --json one document a line is printed.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

QUICK: Mapping[str, Sequence[str]] = {
    "startup": ("--rounds", "5"),
    "embedding_throughput": ("--count", "40", "--rounds", "2"),
    "ask_cold": ("--rounds", "1"),
    "rerank": ("--rounds", "3"),
    "single_writes": ("--writes", "300", "--start", "1000"),
    "memory_latency": ("--rows", "1000", "--searches", "10"),
    "tools": ("--calls", "200"),
    "retrieval": ("--limit", "40"),
}
"""Every benchmark, in order, and what makes it quick."""
MEMORY = frozenset({"rerank", "single_writes", "memory_latency", "retrieval"})
"""What `make bench-memory` prints."""


def plan(data: str, *, quick: bool, memory: bool = False, million: bool = False) -> list[Sequence[str]]:
    """Return the modules to run with their arguments; without `data` there is no retrieval; perhaps memory only."""
    given = {"retrieval": (data,), "memory_latency": ("--million",) if million else ()}
    wanted = [name for name in QUICK if (name in MEMORY or not memory) and (data or name != "retrieval")]
    return [(f"benchmarks.{name}", *given.get(name, ()), *(QUICK[name] if quick else ())) for name in wanted]


def environment() -> dict[str, str]:
    """Return this process's variables, with the models where the suite keeps them."""
    found = dict(os.environ)
    if folder := found.get("OURCLI_TEST_MODELS"):
        found["OURCLI_PATHS_MODELS"] = folder
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few rounds, to see that everything runs")
    parser.add_argument("--memory", action="store_true", help="only what memory is measured by")
    parser.add_argument("--million", action="store_true", help="search in a million records too")
    parser.add_argument("--json", action="store_true", help="print a JSON document a benchmark")
    arguments = parser.parse_args()
    data = os.environ.get("OURCLI_BENCH_DATA", "")
    failed = []
    for job in plan(data, quick=arguments.quick, memory=arguments.memory, million=arguments.million):
        if not arguments.json:
            print(f"\n$ python -m {' '.join(job)}", flush=True)
        command = [sys.executable, "-m", *job, *(["--json"] if arguments.json else [])]
        if subprocess.run(command, check=False, env=environment()).returncode:
            failed.append(job[0])
    if not data:
        print("\nretrieval is left out: OURCLI_BENCH_DATA names no folder of data sets", file=sys.stderr)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
