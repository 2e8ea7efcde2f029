"""How well memory finds, on data sets that are not part of the project.

    python -m benchmarks.retrieval FOLDER [--limit N] [--rerank 32] [--json]

FOLDER holds one folder a data set, each with `corpus.jsonl` (id, text, scope, and for conversations session, turn,
date, speaker) and `queries.jsonl` (id, query, scope, category, relevant: {record id: grade}). Each is measured by
`ourcli bench retrieval` in a store of its own, without the reranker and with it. All runs share one home, so query
vectors are computed in the first run of a data set and come from the cache in the second.

Goals: with the reranker recall@10 .80, nDCG@10 .65 and sessions .95 on `locomo`; nDCG@10 .45 on `cranfield` and .86 on
`cosqa`; and with or without it on no data set a lower nDCG@10 than the better leg alone. The shipped weights were
learned from these sets; `python -m tools.learn_fusion` prints what they reach on questions that they have not seen.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from benchmarks.ask_cold import models_folder
from benchmarks.child import OURCLI, run
from benchmarks.report import Row, show

GOALS: Mapping[str, Mapping[str, float]] = {
    "locomo": {"recall@10": 0.80, "ndcg@10": 0.65, "session_recall@10": 0.95},
    "cranfield": {"ndcg@10": 0.45},
    "cosqa": {"ndcg@10": 0.86},
}
_METRIC = "recall@10"


class Report(TypedDict):
    """What this benchmark reads of `bench retrieval --json`."""

    metrics: dict[str, float]
    legs: dict[str, dict[str, float]]
    latency_ms: dict[str, float]
    records: int
    queries: int


def data_sets(folder: Path) -> list[Path]:
    """Return the data sets in `folder`, by name."""
    return sorted(path.parent for path in folder.glob("*/corpus.jsonl") if (path.parent / "queries.jsonl").is_file())


def sample(queries: Path, limit: int | None, scratch: Path) -> Path:
    """Return the queries, or a file with `limit` of them taken evenly over the whole."""
    if limit is None:
        return queries
    lines = [line for line in queries.read_text(encoding="utf-8").split("\n") if line.strip()]
    step = max(1, len(lines) // limit)
    few = scratch / f"{queries.parent.name}.queries.jsonl"
    few.write_text("\n".join(lines[::step][:limit]) + "\n", encoding="utf-8")
    return few


def measure(corpus: Path, queries: Path, models: Path, scratch: Path, *, rerank: int) -> Report:
    """Run the product's own command."""
    command = (*OURCLI, "bench", "retrieval", "--corpus", str(corpus), "--queries", str(queries))
    environment = {"OURCLI_HOME": str(scratch / "home"), "OURCLI_PATHS_MODELS": str(models), "OURCLI_NET": "0"}
    report: Report = json.loads(run((*command, "--rerank", str(rerank), "--json"), environment).output)
    return report


def row(name: str, report: Report, rerank: int) -> Row:
    """Return one line of the table."""
    metrics, legs = report["metrics"], report["legs"]
    return {
        "data": name,
        "records": report["records"],
        "questions": report["queries"],
        "rerank": rerank,
        _METRIC: metrics[_METRIC],
        "ndcg@10": metrics["ndcg@10"],
        "sessions": metrics.get("session_recall@10"),
        "vector": f"{legs['vector'][_METRIC]:.3f} / {legs['vector']['ndcg@10']:.3f}",
        "text": f"{legs['text'][_METRIC]:.3f} / {legs['text']['ndcg@10']:.3f}",
        "p50_ms": report["latency_ms"]["p50"],
        "p95_ms": report["latency_ms"]["p95"],
        "met": _met(name, report, rerank),
    }


def _met(name: str, report: Report, rerank: int) -> bool:
    """Say whether the goals of a run are reached."""
    metrics = report["metrics"]
    beats = all(metrics["ndcg@10"] >= leg["ndcg@10"] for leg in report["legs"].values())
    goals = GOALS.get(name, {}) if rerank else {}
    return beats and all(metrics[metric] >= goal for metric, goal in goals.items())


def rows(folders: Sequence[Path], limit: int | None, rerank: int) -> list[Row]:
    """Measure every data set, without the reranker and, where asked, with it."""
    found: list[Row] = []
    models = models_folder()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for folder in folders:
            queries = sample(folder / "queries.jsonl", limit, scratch)
            for depth in dict.fromkeys((0, rerank)):
                report = measure(folder / "corpus.jsonl", queries, models, scratch, rerank=depth)
                found.append(row(folder.name, report, depth))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where the data sets lie")
    parser.add_argument("--limit", type=int, help="questions a data set at most (all)")
    parser.add_argument("--rerank", type=int, default=32, help="depth of the second run; 0 leaves it out (32)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    folders = data_sets(arguments.folder)
    if not folders:
        sys.exit(f"no data set in {arguments.folder}: a folder with corpus.jsonl and queries.jsonl each")
    about = "retrieval; legs alone as recall@10 / ndcg@10"
    show(rows(folders, arguments.limit, arguments.rerank), about=about, as_json=arguments.json)


if __name__ == "__main__":
    main()
