"""Rerankers with a model of their own: it reads question and text together."""

from collections.abc import Sequence

from anyio import CapacityLimiter, to_thread

from ourcli.ai.ports import PairModel
from ourcli.ai.texts import well_formed
from ourcli.common.clock import Clock
from ourcli.common.errors import InvalidInputError

SLICE_CHARS = 2048
"""About so much text goes through the model between two looks at the clock."""


class PairReranker:
    """Judge texts by a model that reads each of them together with the question.

    Better than comparing vectors, and slower by three orders of magnitude on a processor without help.

    Args:
        model: The model; the caller closes it.
        limiter: The one that everything running a model shares; size 1.
        clock: Its `monotonic_s` is the clock of deadlines.
    """

    def __init__(self, model: PairModel, *, limiter: CapacityLimiter, clock: Clock) -> None:
        self._model = model
        self._limiter = limiter
        self._clock = clock

    async def score(self, query: str, texts: Sequence[str], *, deadline_s: float) -> list[float | None]:
        """Return one relevance a text, in 0..1; an empty text gets 0, one that was not judged in time None.

        Texts are judged in their order. One slice is begun while there is time; another one only when the last one
        would have fitted into what is left.

        Raises:
            InvalidInputError: The question is empty or only white space.
            ModelError: The model is missing, broken or failed.
        """
        if not query.strip():
            raise InvalidInputError("cannot rerank for an empty question", hint="ask with at least one word")
        question = well_formed(query)
        scores: list[float | None] = [None if text.strip() else 0.0 for text in texts]
        expected_s = 0.0
        for part in _slices(texts):
            started_s = self._clock.monotonic_s()
            if started_s >= deadline_s or started_s + expected_s > deadline_s:
                break
            passages = [well_formed(texts[place]) for place in part]
            found = await to_thread.run_sync(self._model.relevances, question, passages, limiter=self._limiter)
            for place, score in zip(part, found, strict=True):
                scores[place] = score
            expected_s = self._clock.monotonic_s() - started_s
        return scores


def _slices(texts: Sequence[str]) -> list[list[int]]:
    """Return the places of texts that are not blank, in order, in slices of about `SLICE_CHARS`."""
    slices: list[list[int]] = []
    room = 0
    for place, text in enumerate(texts):
        if not text.strip():
            continue
        if not slices or len(text) > room:
            slices.append([])
            room = SLICE_CHARS
        slices[-1].append(place)
        room -= len(text)
    return slices
