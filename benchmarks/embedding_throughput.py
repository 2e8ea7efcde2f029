"""Embedding throughput of our service beside a bare ONNX Runtime loop on the same texts, in one run.

    python benchmarks/embedding_throughput.py [--texts FILE] [--count 200] [--rounds 5] [--threads 2] [--json]

The bare loop tokenizes, runs and mean-pools with the library's default session settings, once one text at a
time and once in padded batches of 8 sorted by length; the better of the two counts. Both sides take turns, and
the best round of each counts. The service runs with its cache off, then with an empty cache to see what
writing it costs. The library's threads spin while they wait and ours sleep: on a busy machine that bends the
wall times, and the CPU seconds tell more.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
import numpy as np
import onnxruntime
from anyio import CapacityLimiter
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from ourcli.ai.backends.embedding_cache import NullCache, SqliteEmbeddingCache
from ourcli.ai.backends.onnx_embedding import OnnxEmbeddingModel, OnnxEmbeddingSpec
from ourcli.ai.embed import EmbeddingService
from ourcli.ai.models.registry import load_registry
from ourcli.ai.ports import EmbeddingCache
from ourcli.common.clock import SystemClock
from ourcli.config.load import load
from ourcli.config.locations import Home

MODEL = "all-MiniLM-L6-v2"
BATCH = 8
MAX_TOKENS = 256
SUBJECTS = [
    "the cache",
    "our scheduler",
    "a new user",
    "the parser",
    "every request",
    "the old index",
    "the release",
    "one worker",
]
VERBS = ["keeps", "drops", "writes", "reads", "blocks", "replaces", "counts", "checks", "retries", "logs"]
OBJECTS = [
    "the journal",
    "a stale entry",
    "fifteen records",
    "its own lock",
    "the budget",
    "each answer",
    "a file on disk",
]
TAILS = [
    "when the limit is reached",
    "before anybody asks",
    "because the last run failed",
    "and tells the operator why",
    "so that nothing is lost after a crash",
    "although the documentation says otherwise",
    "within two seconds",
]

Run = Callable[[Sequence[str]], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    name: str
    seconds: float
    cpu_s: float
    texts_per_s: float
    ratio_to_bare: float


def sentences(count: int) -> list[str]:
    """Return passages of one to a dozen sentences, most of them short, the same ones each time."""
    chance = random.Random(20261122)
    pick = chance.choice

    def sentence() -> str:
        words = f"{pick(SUBJECTS)} {pick(VERBS)} {pick(OBJECTS)} {pick(TAILS)}"
        return f"{words[0].upper()}{words[1:]} ({chance.randrange(1000)})."

    return [" ".join(sentence() for _ in range(min(12, 1 + int(chance.expovariate(0.4))))) for _ in range(count)]


class Bare:
    """ONNX Runtime and a tokenizer, with nothing around them."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MAX_TOKENS)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)

    def one_at_a_time(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed each text alone."""
        return np.concatenate([self._run([self.tokenizer.encode(text)]) for text in texts])

    def batches(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed padded batches of neighbours by length; rows are in that order."""
        encodings = sorted((self.tokenizer.encode(text) for text in texts), key=len)
        return np.concatenate([self._run(encodings[at : at + BATCH]) for at in range(0, len(encodings), BATCH)])

    def _run(self, encodings: Sequence[Encoding]) -> NDArray[np.float32]:
        ids = np.zeros((len(encodings), max(map(len, encodings))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding)] = encoding.ids
            mask[row, : len(encoding)] = 1
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (hidden,) = self.session.run(None, feeds)
        pooled = (hidden * mask[:, :, None]).sum(axis=1)
        return np.asarray(pooled / np.linalg.norm(pooled, axis=1, keepdims=True), dtype=np.float32)


def ours(model: OnnxEmbeddingModel, cache: EmbeddingCache, texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed with the service, event loop and threads included."""

    async def embed() -> NDArray[np.float32]:
        return await EmbeddingService(model, cache, limiter=CapacityLimiter(1)).embed_passages(texts)

    return anyio.run(embed)


def ours_with_cache(model: OnnxEmbeddingModel, texts: Sequence[str]) -> None:
    """Embed with the service and a cache that is empty each time."""
    with tempfile.TemporaryDirectory() as folder:
        cache = SqliteEmbeddingCache(Path(folder) / "cache" / "embeddings.sqlite", clock=SystemClock())
        ours(model, cache, texts)
        cache.close()


def best_times(runs: dict[str, Run], texts: Sequence[str], rounds: int) -> dict[str, tuple[float, float]]:
    """Return wall and CPU seconds of the best round of each, taking turns, after a few unmeasured texts."""
    best = dict.fromkeys(runs, (float("inf"), 0.0))
    for run in runs.values():
        run(texts[:BATCH])
    for _ in range(rounds):
        for name, run in runs.items():
            begun, begun_cpu = time.perf_counter(), time.process_time()
            run(texts)
            best[name] = min(best[name], (time.perf_counter() - begun, time.process_time() - begun_cpu))
    return best


def measure(folder: Path, texts: Sequence[str], *, threads: int, rounds: int) -> list[Row]:
    """Check that both sides agree, then time them."""
    bare = Bare(folder, threads)
    spec = OnnxEmbeddingSpec.of(load_registry().get(MODEL), folder, files_digest="benchmark")
    model = OnnxEmbeddingModel(spec, threads=threads)
    few = texts[:BATCH]
    if not np.allclose(ours(model, NullCache(), few), bare.one_at_a_time(few), atol=1e-4):
        sys.exit("the service and the bare loop disagree about the vectors")
    runs: dict[str, Run] = {
        "bare, one at a time": bare.one_at_a_time,
        f"bare, sorted batches of {BATCH}": bare.batches,
        "service, no cache": partial(ours, model, NullCache()),
        "service, empty cache": partial(ours_with_cache, model),
    }
    best = best_times(runs, texts, rounds)
    reference = min(seconds for name, (seconds, _) in best.items() if name.startswith("bare"))
    return [
        Row(name=name, seconds=wall, cpu_s=cpu, texts_per_s=len(texts) / wall, ratio_to_bare=reference / wall)
        for name, (wall, cpu) in best.items()
    ]


def show(rows: Sequence[Row]) -> None:
    """Print a small table."""
    print(f"{'':28} {'seconds':>8} {'CPU s':>8} {'texts/s':>8} {'of bare':>8}")
    for row in rows:
        print(f"{row.name:28} {row.seconds:8.2f} {row.cpu_s:8.2f} {row.texts_per_s:8.1f} {row.ratio_to_bare:8.2f}")


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--texts", type=Path, help="a UTF-8 file with one text a line, instead of made ones")
    parser.add_argument("--count", type=int, default=200, help="texts at most (200)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side (5)")
    parser.add_argument("--threads", type=int, default=2, help="threads of each side (2)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    if arguments.texts:
        lines = arguments.texts.read_text(encoding="utf-8").splitlines()
        texts = list(dict.fromkeys(line for line in lines if line.strip()))[: arguments.count]
    else:
        texts = list(dict.fromkeys(sentences(arguments.count)))
    home = Home.from_environment()
    folder = home.models(load(home, os.environ, Path.cwd()).settings) / MODEL
    rows = measure(folder, texts, threads=arguments.threads, rounds=arguments.rounds)
    if arguments.json:
        print(json.dumps({"texts": len(texts), "rows": [{n: getattr(row, n) for n in row.__slots__} for row in rows]}))
    else:
        print(
            f"{len(texts)} texts, {sum(map(len, texts)) / len(texts):.0f} characters each, {arguments.threads} threads"
        )
        show(rows)


if __name__ == "__main__":
    main()
