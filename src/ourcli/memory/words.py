"""BM25 over a few texts whose words are counted already."""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

_SATURATION = 1.2
_LENGTH_SHARE = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """What BM25 has to know of the texts around the one it scores.

    Attributes:
        texts: How many there are.
        mean_length: Their words, on average.
        containing: In how many of them a word stands.
    """

    texts: int
    mean_length: float
    containing: Counter[str]

    @classmethod
    def of(cls, counted: Sequence[Counter[str]], *, texts: int | None = None) -> "Corpus":
        """Return the statistics of `counted`, as a sample of `texts` texts where more are meant."""
        words = sum(one.total() for one in counted)
        return cls(
            texts=max(texts or 0, len(counted)),
            mean_length=max(1.0, words / max(1, len(counted))),
            containing=Counter(word for one in counted for word in one),
        )


def bm25(query: Collection[str], text: Counter[str], corpus: Corpus) -> float:
    """Return the BM25 score of a text; 0.0 when no word of the query stands in it.

    Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with the idf that is
    never negative, k1 = 1.2 and b = 0.75: the form in which LanceDB scores, so that both can be compared.
    """
    length = text.total() / corpus.mean_length
    score = 0.0
    for word in text.keys() & set(query):
        rarity = math.log(1 + (corpus.texts - corpus.containing[word] + 0.5) / (corpus.containing[word] + 0.5))
        times = text[word]
        damped = _SATURATION * (1 - _LENGTH_SHARE + _LENGTH_SHARE * length)
        score += rarity * times * (_SATURATION + 1) / (times + damped)
    return score
