"""Rerankers: they read question and candidate more closely than one vector each allows."""

from collections.abc import Sequence

import numpy as np
from anyio import CapacityLimiter, to_thread

from ourcli.ai.ports import EmbeddingModel, Matrix, PromptKind
from ourcli.ai.texts import slices_by_length, well_formed
from ourcli.common.errors import InvalidInputError


class LateInteractionReranker:
    """Score by late interaction: every token of the question looks for its best match in the text.

    The token vectors are the embedding model's own, so no further model is needed; candidates are encoded
    on the spot. Mixed with the first stage's score this lifts recall; alone it loses to it.

    Args:
        model: The embedding model; the caller closes it.
        limiter: The one that everything running this model shares; size 1.
    """

    def __init__(self, model: EmbeddingModel, *, limiter: CapacityLimiter) -> None:
        self._model = model
        self._limiter = limiter

    async def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return one relevance a text, higher is better, in 0..1; an empty text has nothing to match and gets 0.

        Raises:
            InvalidInputError: The question is empty or only white space.
            ModelError: The model is missing, broken or failed.
        """
        if not query.strip():
            raise InvalidInputError("cannot rerank for an empty question", hint="ask with at least one word")
        scores = [0.0] * len(texts)
        filled = [position for position, text in enumerate(texts) if text.strip()]
        if not filled:
            return scores
        question = (await self._tokens([well_formed(query)], PromptKind.QUERY))[0]
        candidates = [well_formed(texts[position]) for position in filled]
        for positions in slices_by_length(candidates):
            vectors = await self._tokens([candidates[position] for position in positions], PromptKind.PASSAGE)
            for position, tokens in zip(positions, vectors, strict=True):
                scores[filled[position]] = max_similarity(question, tokens)
        return scores

    async def _tokens(self, texts: Sequence[str], kind: PromptKind) -> list[Matrix]:
        return await to_thread.run_sync(self._model.encode_tokens, texts, kind, limiter=self._limiter)


def max_similarity(question: Matrix, text: Matrix) -> float:
    """Return the mean over question tokens of the best cosine with any token of the text, cut to 0..1.

    The sum of maxima of Khattab and Zaharia (ColBERT, 2020), divided by the number of question tokens so
    that long and short questions share one scale.

    Args:
        question: Unit token vectors, shape [question tokens, dims].
        text: Unit token vectors, shape [text tokens, dims].
    """
    best = (question @ text.T).max(axis=1)
    return float(np.clip(best.mean(), 0.0, 1.0))
