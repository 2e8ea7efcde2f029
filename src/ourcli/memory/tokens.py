"""Token vectors as they are kept, and the score of late interaction over them: pure.

A text's token vectors are pooled first (tokens that mean nearly the same become one) and then kept in four bits a
number: about a tenth of the size, with the same ranking (`docs/decisions` has the numbers).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from ourcli.memory.vectors import Matrix

POOLED_FROM = 0.85
"""Tokens of a text whose cosine is at least this become one vector."""

_LARGEST = 7  # four bits with a sign; -8 stays unused, so that both sides are alike
_FORMAT = "pooled-0.85/4-bit/2"
_EMPTY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKey:
    """Names the token vectors of a record's text by one model.

    Attributes:
        id: The record.
        digest: Hex sha256 over the way they are kept, the model's digest and the text: vectors under another one
            are not these.
    """

    id: str
    digest: str

    @classmethod
    def of(cls, record_id: str, text: str, model: str) -> "TokenKey":
        """Return the key of a text that stands in a record."""
        said = f"{_FORMAT}\0{model}\0{text}".encode("utf-8", "surrogatepass")
        return cls(id=record_id, digest=sha256(said).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenVectors:
    """The unit token vectors of one text, compact.

    Attributes:
        codes: Two numbers a byte, shape [vectors, dims / 2]: the high half of a byte is a number of the first half
            of the vector, the low half one of the second.
        scales: What the numbers of each vector have to be multiplied by, shape [vectors].
    """

    codes: NDArray[np.uint8]
    scales: NDArray[np.float32]

    @property
    def dims(self) -> int:
        """Length of a vector."""
        return 2 * int(self.codes.shape[1])


TokenRow = tuple[TokenKey, TokenVectors]
"""What is kept of one record."""


def compact(tokens: Matrix) -> TokenVectors:
    """Pool and quantise the unit token vectors of a text, shape [tokens, dims], dims even."""
    pooled = pool(tokens)
    largest = np.maximum(np.abs(pooled).max(axis=1, keepdims=True, initial=0.0), _EMPTY)
    numbers = np.rint(pooled / largest * _LARGEST).astype(np.int8)
    half = numbers.shape[1] // 2
    codes = (numbers[:, :half].view(np.uint8) << 4) | (numbers[:, half:].view(np.uint8) & 0x0F)
    along = (numbers * pooled).sum(axis=1)  # scaled by it, no product with another vector is too small on average
    return TokenVectors(codes=codes, scales=(1.0 / np.maximum(along, _EMPTY)).astype(np.float32))


def pool(tokens: Matrix, cosine: float = POOLED_FROM) -> Matrix:
    """Return unit vectors, one for each group of tokens, in the order of the groups' first tokens.

    The first token without a group begins one and takes all others that are as near to it as `cosine`; the group's
    vector is their mean. After "token pooling" (Clavié, Chaffin and Adams, 2024), with the simplest clustering.
    """
    alike = tokens @ tokens.T >= cosine
    free = np.ones(len(tokens), dtype=np.bool_)
    groups = np.zeros(len(tokens), dtype=np.int64)
    count = 0
    for place in range(len(tokens)):
        if free[place]:
            members = alike[place] & free
            members[place] = True
            groups[members] = count
            free &= ~members
            count += 1
    sums = np.zeros((count, tokens.shape[1]), dtype=np.float32)
    np.add.at(sums, groups, tokens)
    unit: Matrix = (sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), _EMPTY)).astype(np.float32)
    return unit


def interactions(question: Matrix, texts: Sequence[TokenVectors]) -> list[float]:
    """Return each text's late interaction with a question, in 0..1; a text without vectors gets 0.

    The mean over the question's tokens of the best cosine with any vector of the text: the sum of maxima of Khattab
    and Zaharia (ColBERT, 2020), divided by the number of the question's tokens so that long and short questions
    share one scale. All texts go through one product of matrices.

    Args:
        question: Unit token vectors, shape [question tokens, dims].
        texts: Candidates of the same dims.
    """
    scores = np.zeros(len(texts))
    filled = [place for place, text in enumerate(texts) if len(text.scales)]
    if not filled:
        return [float(score) for score in scores]
    codes = np.concatenate([texts[place].codes for place in filled])
    scales = np.concatenate([texts[place].scales for place in filled])
    cosines = (_numbers(codes) @ question.T) * scales[:, None]
    lengths = [len(texts[place].scales) for place in filled]
    starts = np.concatenate(([0], np.cumsum(lengths[:-1], dtype=np.int64)))
    best = np.maximum.reduceat(cosines, starts, axis=0)
    scores[filled] = np.clip(best.mean(axis=1), 0.0, 1.0)
    return [float(score) for score in scores]


def _numbers(codes: NDArray[np.uint8]) -> Matrix:
    """Return what `compact` wrote, before scaling, shape [vectors, dims]."""
    half = codes.shape[1]
    numbers = np.empty((len(codes), 2 * half), dtype=np.float32)
    signed = codes.view(np.int8)
    numbers[:, :half] = signed >> 4
    numbers[:, half:] = (signed << 4) >> 4
    return numbers
