"""Reranking 32 passages: with stored token vectors, with none stored yet, and encoded on the spot as it was before.

    python -m benchmarks.rerank [--rounds 15] [--candidates 32] [--json]

Short texts are turns of a conversation (about 30 tokens), long ones chunks as long as the model reads (about 250).
Every row is a whole rerank of all candidates: the question's token vectors, the file of stored vectors, the scores.
"On the spot" runs the same model over the passages each time and keeps nothing; "not stored" does the same through the
product and stores what it made. All take turns, and the medians are printed; so are the bytes that a text's vectors
take.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median

import anyio
import numpy as np
from anyio import CapacityLimiter

from benchmarks.embedding_throughput import MODEL, sentences
from benchmarks.report import Cell, Row, show
from ourcli.__main__ import ONE_BLAS_THREAD
from ourcli.ai.backends.embedding_cache import NullCache
from ourcli.ai.backends.onnx_embedding import OnnxEmbeddingModel, OnnxEmbeddingSpec
from ourcli.ai.embed import EmbeddingService
from ourcli.ai.models.registry import load_registry
from ourcli.ai.texts import slices_by_length
from ourcli.common.clock import SystemClock
from ourcli.config.load import load
from ourcli.config.locations import Home
from ourcli.memory.backends.token_store import SqliteTokenStore
from ourcli.memory.interaction import LateInteraction
from ourcli.memory.ports import Passage
from ourcli.memory.tokens import compact

SHORT_CHARS, LONG_CHARS = 120, 1300
NO_DEADLINE = float("inf")

Run = Callable[[str], Awaitable[object]]


def texts_of(length: int, count: int) -> list[str]:
    """Return different passages of about so many characters."""
    words = " ".join(sentences(count * max(1, length // 100) + 40))
    return [words[at * length : (at + 1) * length].strip() for at in range(count)]


async def on_the_spot(service: EmbeddingService, texts: Sequence[str], question: str) -> list[float]:
    """Encode all passages and score them with whole vectors, one product each."""
    asked = await service.query_tokens(question)
    scores = [0.0] * len(texts)
    for positions in slices_by_length(texts):
        tokens = await service.passage_tokens([texts[at] for at in positions])
        for at, own in zip(positions, tokens, strict=True):
            scores[at] = float(np.clip((asked @ own.T).max(axis=1).mean(), 0.0, 1.0))
    return scores


async def not_stored(service: EmbeddingService, passages: Sequence[Passage], question: str) -> None:
    """Rerank with a file that holds nothing yet."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(SqliteTokenStore(Path(folder) / "tokens.sqlite", clock=SystemClock())) as store,
    ):
        await stored(LateInteraction(service, store, SystemClock()), passages, question)


async def stored(reranker: LateInteraction, passages: Sequence[Passage], question: str) -> list[float | None]:
    """Rerank with what is stored."""
    return await reranker.score(question, passages, deadline_s=NO_DEADLINE)


async def milliseconds(runs: dict[str, Run], rounds: int) -> dict[str, list[float]]:
    """Return the time of every round, each with a question of its own; the first round is not counted."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            question = f"what did we decide about entry {turn} of the {name} cache?"
            begun = time.perf_counter()
            await run(question)
            found[name].append((time.perf_counter() - begun) * 1000)
    return {name: values[1:] for name, values in found.items()}


async def measure(service: EmbeddingService, folder: Path, *, candidates: int, rounds: int) -> list[Row]:
    """Time short and long passages."""
    rows: list[Row] = []
    for kind, chars in (("short", SHORT_CHARS), ("long", LONG_CHARS)):
        texts = texts_of(chars, candidates)
        passages = [Passage(id=f"{kind}-{at}", text=text) for at, text in enumerate(texts)]
        whole = await service.passage_tokens(texts)
        kept = [compact(tokens) for tokens in whole]
        with closing(SqliteTokenStore(folder / f"{kind}.sqlite", clock=SystemClock())) as store:
            reranker = LateInteraction(service, store, SystemClock())
            await stored(reranker, passages, "fill it")
            runs: dict[str, Run] = {
                "stored": partial(stored, reranker, passages),
                "not stored": partial(not_stored, service, passages),
                "on the spot": partial(on_the_spot, service, texts),
            }
            times = await milliseconds(runs, rounds)
        reference = median(times["on the spot"])
        for name, values in times.items():
            columns: dict[str, Cell] = {
                "passages": f"{kind}, {name}",
                "tokens": float(np.mean([len(tokens) for tokens in whole])),
                "bytes kept": float(np.mean([one.codes.nbytes + one.scales.nbytes for one in kept])),
                "ms in all": median(values),
                "ms a pair": median(values) / candidates,
                "slowest ms": max(values),
                "of on the spot": median(values) / reference,
            }
            rows.append(columns)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--candidates", type=int, default=32, help="passages a rerank (32)")
    parser.add_argument("--rounds", type=int, default=15, help="reranks of each kind (15)")
    parser.add_argument("--threads", type=int, default=2, help="threads of the model (2)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    if ONE_BLAS_THREAD not in os.environ:  # numpy reads it when it is imported, as the product's own entry sees to
        os.execve(
            sys.executable,
            [sys.executable, "-m", "benchmarks.rerank", *sys.argv[1:]],
            {**os.environ, ONE_BLAS_THREAD: "1"},
        )
    home = Home.from_environment()
    models = home.models(load(home, os.environ, Path.cwd()).settings)
    spec = OnnxEmbeddingSpec.of(load_registry().get(MODEL), models / MODEL, files_digest="benchmark")
    with tempfile.TemporaryDirectory() as folder, closing(OnnxEmbeddingModel(spec, threads=arguments.threads)) as model:
        service = EmbeddingService(model, NullCache(), limiter=CapacityLimiter(1))
        run = partial(measure, service, Path(folder), candidates=arguments.candidates, rounds=arguments.rounds)
        rows = anyio.run(run)
    about = f"one rerank of {arguments.candidates} passages, median of {arguments.rounds}"
    show(rows, about=about, as_json=arguments.json)


if __name__ == "__main__":
    main()
