"""What it costs to start: `ourcli --help` and `--version` beside `llm --help` and a bare Python.

    python -m benchmarks.startup [--rounds 15] [--json]

CPU seconds (user and system) as the system counted them for each process. The commands take turns, so that a
busy machine disturbs all of them alike; medians count. The goal: `ourcli --help` takes at most 0.15 of the CPU of
`llm --help`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.child import PYTHON, Measured, run
from benchmarks.report import Row, show

GOAL = 0.15
_BASELINE = "llm --help"


def commands() -> dict[str, Sequence[str]]:
    """Return what is compared; the scripts stand beside the interpreter that runs this."""
    scripts = Path(sys.executable).parent
    return {
        "python -c pass": (PYTHON, "-c", "pass"),
        "ourcli --version": (str(scripts / "ourcli"), "--version"),
        "ourcli --help": (str(scripts / "ourcli"), "--help"),
        _BASELINE: (str(scripts / "llm"), "--help"),
    }


def measure(rounds: int) -> dict[str, list[Measured]]:
    """Run every command once unmeasured, which writes its bytecode, then `rounds` times in turn."""
    compared = commands()
    for command in compared.values():
        run(command, {})
    taken: dict[str, list[Measured]] = {name: [] for name in compared}
    for _ in range(rounds):
        for name, command in compared.items():
            taken[name].append(run(command, {}))
    return taken


def rows(taken: dict[str, list[Measured]]) -> list[Row]:
    """Return medians, and each command's CPU as a share of the baseline's."""
    baseline = median(one.cpu_s for one in taken[_BASELINE])
    found: list[Row] = []
    for name, runs in taken.items():
        cpu_s = median(one.cpu_s for one in runs)
        share = cpu_s / baseline
        found.append(
            {
                "command": name,
                "cpu_ms": cpu_s * 1000,
                "wall_ms": median(one.wall_s for one in runs) * 1000,
                "of_llm": share,
                "goal": GOAL if name.startswith("ourcli") else None,
                "met": share <= GOAL if name.startswith("ourcli") else None,
            }
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help="runs of each command (15)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    about = f"start-up, medians of {arguments.rounds} runs in turn"
    show(rows(measure(arguments.rounds)), about=about, as_json=arguments.json)


if __name__ == "__main__":
    main()
