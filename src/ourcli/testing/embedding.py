"""Fakes of the embedding ports: vectors from hashed words, and a cache in a dict."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from ourcli.ai.ports import Matrix, PromptKind
from ourcli.common.errors import OurcliError

_WORD = re.compile(r"\w+|[^\w\s]")


class FakeEmbeddingModel:
    """Add up one pseudo-random direction for each word and each of its three-letter pieces.

    Texts that share words, or words that share a stem, get similar vectors; the rest are nearly orthogonal.
    The same text always gets the same vector, on every machine.

    Args:
        dims: Length of a vector.
        name: Makes the digest; give two fakes two names to have two models.
        max_words: Where a text is cut.
        error: Raised by every call instead of an answer, if given.

    Attributes:
        calls: The texts of each call so far, in order.
        closed: Whether `close` was called.
    """

    def __init__(
        self, *, dims: int = 384, name: str = "fake", max_words: int = 256, error: OurcliError | None = None
    ) -> None:
        self._dims = dims
        self._digest = hashlib.sha256(f"{name}:{dims}:{max_words}".encode()).hexdigest()
        self._max_words = max_words
        self._error = error
        self._directions: dict[str, Matrix] = {}
        self.calls: list[tuple[str, ...]] = []
        self.closed = False

    @property
    def digest(self) -> str:
        """Hex sha256 of the fake's name and size."""
        return self._digest

    @property
    def dims(self) -> int:
        """Length of a vector."""
        return self._dims

    def encode(self, texts: Sequence[str], kind: PromptKind) -> Matrix:
        """Return unit vectors, shape [len(texts), dims]."""
        return self.encode_both(texts, kind)[0]

    def encode_tokens(self, texts: Sequence[str], kind: PromptKind) -> list[Matrix]:  # noqa: ARG002 - the port's
        """Return, per text, one unit vector a word, shape [words, dims]; a text without words counts as one."""
        self.calls.append(tuple(texts))
        if self._error is not None:
            raise self._error
        return [np.stack([self._word(word) for word in self._words(text)]) for text in texts]

    def encode_both(self, texts: Sequence[str], kind: PromptKind) -> tuple[Matrix, list[Matrix]]:
        """Return what `encode` and `encode_tokens` return, from one call."""
        tokens = self.encode_tokens(texts, kind)
        if not tokens:
            return np.empty((0, self._dims), "f4"), []
        return np.stack([_unit(vectors.sum(axis=0)) for vectors in tokens]), tokens

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True

    def _words(self, text: str) -> list[str]:
        return _WORD.findall(text.lower()[: self._max_words * 32])[: self._max_words] or ["<none>"]

    def _word(self, word: str) -> Matrix:
        if word not in self._directions:
            framed = f"#{word}#"
            pieces = [framed[start : start + 3] for start in range(len(framed) - 2)]
            vector = _direction(word, self._dims) + sum(_direction(piece, self._dims) for piece in pieces) / len(pieces)
            self._directions[word] = _unit(vector)
        return self._directions[word]


class FakeEmbeddingCache:
    """A cache in memory without a bound.

    Attributes:
        hits: How many vectors `get` returned so far.
        closed: Whether `close` was called.
    """

    def __init__(self) -> None:
        self._vectors: dict[tuple[str, PromptKind, str], Matrix] = {}
        self.hits = 0
        self.closed = False

    def get(self, model: str, kind: PromptKind, texts: Sequence[str]) -> dict[int, Matrix]:
        """Return the vectors that are known, by position in `texts`."""
        keys = [(model, kind, text) for text in texts]
        known = {position: self._vectors[key] for position, key in enumerate(keys) if key in self._vectors}
        self.hits += len(known)
        return known

    def put(self, model: str, kind: PromptKind, texts: Sequence[str], vectors: Matrix) -> None:
        """Keep vectors."""
        for text, vector in zip(texts, vectors, strict=True):
            self._vectors[model, kind, text] = vector.copy()

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True


def _unit(vector: Matrix) -> Matrix:
    unit: Matrix = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit


def _direction(word: str, dims: int) -> Matrix:
    seed = int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
    return np.random.default_rng(seed).standard_normal(dims, dtype=np.float32)
