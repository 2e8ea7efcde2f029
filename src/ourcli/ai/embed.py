"""The embedding service: the cache first, then the model, in small batches behind one limiter."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

import numpy as np
from anyio import CapacityLimiter, to_thread

from ourcli.ai.ports import EmbeddingCache, EmbeddingModel, Matrix, PromptKind
from ourcli.ai.texts import slices_by_length, well_formed
from ourcli.common.errors import InvalidInputError

Vector = Matrix
"""Shape [dims], float32, unit length."""

QUESTIONS = 64
"""So many questions' token vectors stay in memory: a question is embedded first and reranked with a moment later."""

Progress = Callable[[int, int], None]
"""Called with the number of texts done and in all, in the event loop's thread."""


class EmbeddingService:
    """Turn texts into unit vectors.

    Defined for every text but an empty one: what exceeds the model's limit is cut, lone surrogates become
    U+FFFD, control characters and words the tokenizer does not know are left to it. Equal texts in one call
    are embedded once. The model works in a thread, one slice of texts at a time, so that a cancel, or the
    question of another task, waits for one slice at most.

    Args:
        model: The model; the caller closes it.
        cache: Vectors of earlier calls; the caller closes it.
        limiter: Shared by everything that runs this model, so that inference is never doubled; size 1.
    """

    def __init__(self, model: EmbeddingModel, cache: EmbeddingCache, *, limiter: CapacityLimiter) -> None:
        self._model = model
        self._cache = cache
        self._limiter = limiter
        self._cache_limiter = CapacityLimiter(1)
        self._questions: OrderedDict[str, Matrix] = OrderedDict()

    @property
    def digest(self) -> str:
        """Hex sha256 that names the model; vectors of different digests cannot be compared."""
        return self._model.digest

    @property
    def dims(self) -> int:
        """Length of a vector."""
        return self._model.dims

    async def embed_query(self, text: str) -> Vector:
        """Return the unit vector of a question, shape [dims]; its token vectors are kept in memory for a while.

        Raises:
            InvalidInputError: The question is empty or only white space.
            ModelError: The model is missing, broken or failed.
        """
        question = _question(text)
        known = await self._recall([question], PromptKind.QUERY)
        return known[question] if known else await self._ask(question)

    async def embed_passages(self, texts: Sequence[str], *, progress: Progress | None = None) -> Matrix:
        """Return the unit vectors of texts to remember, in their order, shape [len(texts), dims].

        Raises:
            InvalidInputError: One of the texts is empty or only white space; none is embedded then.
            ModelError: The model is missing, broken or failed.
        """
        return await self._embed(_passages(texts), progress)

    async def embed_by_token(self, texts: Sequence[str]) -> AsyncIterator[tuple[list[int], Matrix, list[Matrix]]]:
        """Yield vectors and token vectors of texts to remember, from one pass of the model, a slice at a time.

        Never answered from the cache, which knows no token vectors, but filled into it.

        Yields:
            Positions in `texts` (each comes once), the unit vectors of these texts, shape [positions, dims], and for
            each of them its unit token vectors, shape [tokens, dims].

        Raises:
            InvalidInputError: One of the texts is empty or only white space; none is embedded then.
            ModelError: The model is missing, broken or failed.
        """
        passages = _passages(texts)
        for positions in slices_by_length(passages):
            part = [passages[position] for position in positions]
            vectors, tokens = await to_thread.run_sync(
                self._model.encode_both, part, PromptKind.PASSAGE, limiter=self._limiter
            )
            await self._keep(PromptKind.PASSAGE, part, vectors)
            yield positions, vectors, tokens

    async def query_tokens(self, text: str) -> Matrix:
        """Return one unit vector for each token of a question, shape [tokens, dims].

        Raises:
            InvalidInputError: The question is empty or only white space.
            ModelError: The model is missing, broken or failed.
        """
        question = _question(text)
        if question not in self._questions:
            await self._ask(question)
        return self._questions[question]

    async def passage_tokens(self, texts: Sequence[str]) -> list[Matrix]:
        """Return, per text, one unit vector a token, shape [tokens, dims]; in one uninterrupted run of the model.

        Raises:
            InvalidInputError: One of the texts is empty or only white space.
            ModelError: The model is missing, broken or failed.
        """
        return await to_thread.run_sync(
            self._model.encode_tokens, _passages(texts), PromptKind.PASSAGE, limiter=self._limiter
        )

    async def _ask(self, question: str) -> Vector:
        """Run the model on a question and keep what comes of it."""
        vectors, (tokens,) = await to_thread.run_sync(
            self._model.encode_both, [question], PromptKind.QUERY, limiter=self._limiter
        )
        self._questions[question] = tokens
        if len(self._questions) > QUESTIONS:
            self._questions.popitem(last=False)
        await self._keep(PromptKind.QUERY, [question], vectors)
        vector: Vector = vectors[0]
        return vector

    async def _embed(self, texts: Sequence[str], progress: Progress | None) -> Matrix:
        distinct = list(dict.fromkeys(texts))
        rows = await self._recall(distinct, PromptKind.PASSAGE)
        missing = [text for text in distinct if text not in rows]
        for positions in slices_by_length(missing):
            part = [missing[position] for position in positions]
            vectors = await to_thread.run_sync(self._model.encode, part, PromptKind.PASSAGE, limiter=self._limiter)
            rows.update(zip(part, vectors, strict=True))
            await self._keep(PromptKind.PASSAGE, part, vectors)
            if progress is not None:
                progress(len(rows), len(distinct))
        return self._stack(texts, rows)

    async def _keep(self, kind: PromptKind, texts: Sequence[str], vectors: Matrix) -> None:
        await to_thread.run_sync(self._cache.put, self.digest, kind, texts, vectors, limiter=self._cache_limiter)

    async def _recall(self, texts: Sequence[str], kind: PromptKind) -> dict[str, Vector]:
        known = await to_thread.run_sync(self._cache.get, self.digest, kind, texts, limiter=self._cache_limiter)
        return {texts[position]: vector for position, vector in known.items() if vector.shape == (self.dims,)}

    def _stack(self, texts: Sequence[str], rows: Mapping[str, Vector]) -> Matrix:
        matrix = np.empty((len(texts), self.dims), dtype=np.float32)
        for position, text in enumerate(texts):
            matrix[position] = rows[text]
        return matrix


def _question(text: str) -> str:
    if not text.strip():
        raise InvalidInputError("cannot embed an empty question", hint="ask with at least one word")
    return well_formed(text)


def _passages(texts: Sequence[str]) -> list[str]:
    for position, text in enumerate(texts):
        if not text.strip():
            raise InvalidInputError(
                f"cannot embed text {position + 1} of {len(texts)}: it is empty", hint="leave empty texts out"
            )
    return [well_formed(text) for text in texts]
