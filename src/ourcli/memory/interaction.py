"""The default reranker: late interaction over stored token vectors, which are made where they are missing."""

from collections.abc import AsyncIterator, Iterator, Sequence

from ourcli.common.clock import Clock
from ourcli.memory.ports import Passage, TokenEmbedder, TokenStore
from ourcli.memory.tokens import TokenKey, TokenRow, TokenVectors, compact, interactions
from ourcli.memory.vectors import Matrix

SLICE_CHARS = 2048
"""About so much text goes through the model between two looks at the clock: a few hundredths of a second."""


class LateInteraction:
    """Score passages by how well each token of the question is matched by some token of theirs.

    The token vectors are the embedding model's own, so no further model is needed. Records of L1 and L2 get theirs
    when they are added, from the same pass of the model as their vector; those of L3 when they are first reranked.
    Mixed with the first stage's score this lifts recall; alone it loses to it.

    Args:
        embedder: Makes token vectors.
        store: Keeps them.
        clock: Its `monotonic_s` is the clock of deadlines.
    """

    def __init__(self, embedder: TokenEmbedder, store: TokenStore, clock: Clock) -> None:
        self._embedder = embedder
        self._store = store
        self._clock = clock
        self._char_s = 0.0

    async def score(self, query: str, passages: Sequence[Passage], *, deadline_s: float) -> list[float | None]:
        """Return one relevance a passage, in 0..1; None for one whose token vectors could not be made in time.

        An empty passage has nothing to match and gets 0.

        Raises:
            InvalidInputError: The question is empty or only white space.
            ModelError: The model is missing, broken or failed.
        """
        if not passages or self._clock.monotonic_s() >= deadline_s:
            return [None] * len(passages)
        question = await self._embedder.query_tokens(query)
        model = self._embedder.digest
        keys = {one.id: TokenKey.of(one.id, one.text, model) for one in passages if one.text.strip()}
        known = await self._store.get(list(keys.values()))
        missing = [one for one in passages if one.id in keys and one.id not in known]
        made = await self._made(missing, deadline_s)
        await self._store.put([(keys[record_id], vectors) for record_id, vectors in made.items()], keep=False)
        known |= made
        scores = dict(zip(known, interactions(question, list(known.values())), strict=True))
        return [scores.get(one.id) if one.id in keys else 0.0 for one in passages]

    async def embed(
        self, ids: Sequence[str], texts: Sequence[str]
    ) -> AsyncIterator[tuple[Sequence[int], Matrix, list[TokenRow]]]:
        """Yield positions, the vectors of these texts and what `keep` takes of them, from one pass of the model."""
        model = self._embedder.digest
        async for positions, vectors, tokens in self._embedder.embed_by_token(texts):
            keys = [TokenKey.of(ids[position], texts[position], model) for position in positions]
            yield positions, vectors, [(key, compact(one)) for key, one in zip(keys, tokens, strict=True)]

    async def keep(self, rows: Sequence[TokenRow]) -> None:
        """Store the token vectors of records that were added."""
        await self._store.put(rows, keep=True)

    async def _made(self, passages: Sequence[Passage], deadline_s: float) -> dict[str, TokenVectors]:
        """Make token vectors, best candidates first, until the next slice would not be done in time."""
        made: dict[str, TokenVectors] = {}
        for part in _slices(passages):
            chars = sum(min(len(one.text), SLICE_CHARS) for one in part)
            started_s = self._clock.monotonic_s()
            expected_s = chars * self._char_s if made else 0.0
            if started_s >= deadline_s or started_s + expected_s > deadline_s:
                break
            tokens = await self._embedder.passage_tokens([one.text for one in part])
            made |= {one.id: compact(own) for one, own in zip(part, tokens, strict=True)}
            self._char_s = (self._clock.monotonic_s() - started_s) / chars
        return made


def _slices(passages: Sequence[Passage]) -> Iterator[list[Passage]]:
    """Yield passages in their order, in slices of about `SLICE_CHARS`; a longer one stands alone."""
    part: list[Passage] = []
    size = 0
    for passage in passages:
        if part and size + len(passage.text) > SLICE_CHARS:
            yield part
            part, size = [], 0
        part.append(passage)
        size += len(passage.text)
    if part:
        yield part
