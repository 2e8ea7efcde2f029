"""How much a model may be given to read: by its context, and by the time that reading takes on this machine."""

from typing import Protocol

from ourcli.ai.ports import Finished

SMALLEST_SAMPLE_TOKENS = 64
"""Shorter prompts say more about the cost of a call than about the speed of reading."""

NEWEST_SHARE = 0.3
"""Weight of the newest measurement in the moving average."""

BATCH_SECONDS = 0.1
"""A batch is what a cancel has to wait for, at worst twice; twice this is the 0.2 s that a cancel may take."""

SMALLEST_BATCH_TOKENS = 8
LARGEST_BATCH_TOKENS = 64
"""Beyond this, reading gets no faster; below 8 it loses a third of its speed."""


class PrefillRates(Protocol):
    """Reading speeds of models on this machine, remembered between processes."""

    def rate(self, model: str, *, weights_bytes: int = 0) -> float:
        """Return prompt tokens a second: as measured, else a guess from the size of the weights."""
        ...

    def note(self, model: str, finished: Finished) -> None:
        """Learn from an answer; one with too little uncached prompt teaches nothing."""
        ...


def prompt_budget(
    context_tokens: int, answer_tokens: int, prefill_rate_tokens_per_s: float, prefill_seconds: float
) -> int:
    """Return how many prompt tokens leave room for the answer and are read in time; 0 when none do.

    Args:
        context_tokens: What prompt and answer share.
        answer_tokens: Kept free for the answer.
        prefill_rate_tokens_per_s: Measured or guessed reading speed.
        prefill_seconds: Longest time that reading may take.
    """
    return max(0, min(context_tokens - answer_tokens, int(prefill_rate_tokens_per_s * prefill_seconds)))


def measured_rate(finished: Finished) -> float | None:
    """Return the prompt tokens a second of one answer, or None when its sample is too small."""
    uncached = finished.input_tokens - finished.cached_tokens
    if uncached < SMALLEST_SAMPLE_TOKENS or finished.prefill_ms <= 0:
        return None
    return uncached / finished.prefill_ms * 1000


def learned_rate(known: float | None, measured: float) -> float:
    """Return the exponential moving average after one more measurement."""
    return measured if known is None else known + NEWEST_SHARE * (measured - known)


def guessed_rate(weights_bytes: int, threads: int) -> float:
    """Guess prompt tokens a second before anything was measured.

    A power law through three models on two threads (98 MB 450/s, 491 MB 130/s, 1117 MB 75/s), linear in
    the threads up to 8. An unknown size counts as 1 GB: it is better to read too little than to wait.
    """
    megabytes = (weights_bytes or 1_000_000_000) / 1_000_000
    return float(13_150 * max(megabytes, 1.0) ** -0.736 * min(max(threads, 1), 8) / 2)


def batch_tokens(prefill_rate_tokens_per_s: float) -> int:
    """Return how many prompt tokens a model should read in one go so that a cancel is quick; a multiple of 4."""
    wanted = int(prefill_rate_tokens_per_s * BATCH_SECONDS) // 4 * 4
    return min(max(wanted, SMALLEST_BATCH_TOKENS), LARGEST_BATCH_TOKENS)
