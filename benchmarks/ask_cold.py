"""How long a cold `ask` takes until its first word, and how much memory it needs.

    python -m benchmarks.ask_cold [--model ID]... [--rounds 3] [--json]

Each round is two fresh processes on copies of one prepared home: the first streams its answer into a pipe and is
timed until the first byte of it; the second prints JSON, which tells the tokens of the same prompt. Prefill is
those tokens divided by the reading speed that the first process measured and wrote down; "beyond" is what is left
of the time to the first token. A file goes along with the question, so that a small model too has to generate.

Goals: at most 3 s beyond prefill; peak memory at most the model's own and 0.5 GB.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.child import OURCLI, Measured, run
from benchmarks.report import Row, show

GOAL_S = 3.0
GOAL_RSS_BYTES = 500_000_000
OWN_RSS_BYTES = {
    "SmolLM2-135M-Instruct": 280_000_000,
    "Qwen2.5-Coder-0.5B-Instruct": 730_000_000,
    "Qwen2.5-Coder-1.5B-Instruct": 2_000_000_000,
}
"""Resident memory of llama.cpp alone with the model loaded, 2,048 tokens of context, two threads."""

QUESTION = "Which of our decisions does this incident report touch, and what should we change?"
DECISIONS = (
    "We decided to use a write-through cache with a 15 minute TTL",
    "API rate limit is 120 requests per minute per token",
    "Logs are kept for 30 days and then moved to cold storage",
    "The retry policy is exponential backoff with five attempts",
    "Redis runs with maxmemory 4 GB and allkeys-lru eviction",
)
REPORT = """\
On Tuesday at 09:40 the product page showed prices of the day before. The price service had written the new values at
09:00, and the database held them, but readers were served from the cache. A client had retried a failed write
outside the usual path, so that the cache was not told. After 22 minutes an engineer deleted the keys by hand.
Customers wrote 14 tickets. The retries themselves behaved as intended, and the rate limit was not reached.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Two cold processes that were given the same prompt."""

    first_token_s: float
    prompt_tokens: int
    tokens_per_s: float
    peak_rss_bytes: int

    @property
    def prefill_s(self) -> float:
        """Seconds that reading the prompt takes at the measured speed."""
        return self.prompt_tokens / self.tokens_per_s

    @property
    def beyond_s(self) -> float:
        """Seconds until the first token that reading the prompt does not explain."""
        return self.first_token_s - self.prefill_s


def prepare(folder: Path, models: Path) -> Path:
    """Make a home that holds a few decisions, and the file that goes along with the question."""
    home = folder / "home"
    lines = "".join(json.dumps({"text": text, "tags": ["decision"]}) + "\n" for text in DECISIONS)
    (folder / "decisions.jsonl").write_text(lines, encoding="utf-8")
    (folder / "report.txt").write_text(REPORT, encoding="utf-8")
    run((*OURCLI, "memory", "add", "--jsonl", str(folder / "decisions.jsonl")), _environment(home, models))
    return home


def measure(folder: Path, home: Path, models: Path, model: str) -> Round:
    """Ask in two fresh processes, each in a copy of the home."""
    command = (*OURCLI, "ask", QUESTION, "--model", model, "--file", str(folder / "report.txt"), "--max-tokens", "16")
    streamed, streamed_home = _ask(command, home, models, folder / "streamed")
    told, _ = _ask((*command, "--json"), home, models, folder / "told")
    usage = json.loads(told.output)["usage"]
    rates = json.loads((streamed_home / "state" / "prefill.json").read_text(encoding="utf-8"))
    if streamed.first_s is None:
        sys.exit(f"{model} answered nothing")
    return Round(
        first_token_s=streamed.first_s,
        prompt_tokens=usage["input_tokens"],
        tokens_per_s=next(rate for name, rate in rates.items() if name.startswith(f"{model}/")),
        peak_rss_bytes=max(streamed.peak_rss_bytes, told.peak_rss_bytes),
    )


def _ask(command: Sequence[str], home: Path, models: Path, copy: Path) -> tuple[Measured, Path]:
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(home, copy)
    return run(command, _environment(copy, models), awaited=lambda output: bool(output.strip())), copy


def _environment(home: Path, models: Path) -> dict[str, str]:
    return {"OURCLI_HOME": str(home), "OURCLI_PATHS_MODELS": str(models), "OURCLI_NET": "0"}


def row(model: str, rounds: Sequence[Round]) -> Row:
    """Return one line: medians of the times, the largest memory."""
    own = OWN_RSS_BYTES.get(model)
    peak = max(one.peak_rss_bytes for one in rounds)
    beyond = median(one.beyond_s for one in rounds)
    return {
        "model": model,
        "prompt_tokens": rounds[0].prompt_tokens,
        "tokens_per_s": median(one.tokens_per_s for one in rounds),
        "first_token_s": median(one.first_token_s for one in rounds),
        "prefill_s": median(one.prefill_s for one in rounds),
        "beyond_s": beyond,
        "goal_s": GOAL_S,
        "met": beyond <= GOAL_S,
        "peak_gb": peak / 1e9,
        "goal_gb": None if own is None else (own + GOAL_RSS_BYTES) / 1e9,
        "fits": None if own is None else peak <= own + GOAL_RSS_BYTES,
    }


def models_folder() -> Path:
    """Return where the models of this installation lie."""
    told = run((*OURCLI, "config", "get", "paths.models"), {}).output.strip()
    home = Path(os.environ.get("OURCLI_HOME") or "~/.ourcli").expanduser()
    return home / Path(told).expanduser()


def default_models() -> list[str]:
    """Return what `auto` means here, and the small model when it is installed."""
    listed = json.loads(run((*OURCLI, "models", "list", "--json"), {}).output)["models"]
    here = [one for one in listed if one["kind"] == "llm" and one["installed"]]
    chosen = [one["id"] for one in here if one["chosen"]] or [one["id"] for one in here if one["recommended"]]
    return list(dict.fromkeys((*chosen, *(one["id"] for one in here if one["capability"] == "fallback"))))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", action="append", help="a registry id; can be repeated (auto's choice and SmolLM2)")
    parser.add_argument("--rounds", type=int, default=3, help="pairs of processes for each model (3)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    models = models_folder()
    chosen = arguments.model or default_models()
    if not chosen:
        sys.exit("no language model is installed: run `ourcli setup`")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = prepare(folder, models)
        rows = [row(model, [measure(folder, home, models, model) for _ in range(arguments.rounds)]) for model in chosen]
    about = f"cold ask, medians of {arguments.rounds} rounds, the largest memory"
    show(rows, about=about, as_json=arguments.json)


if __name__ == "__main__":
    main()
