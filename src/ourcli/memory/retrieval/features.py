"""What the legs say of each candidate, as features in 0..1: pure functions over a pool.

All of it is known when a search has gathered its candidates; nothing is read again.
"""

import re

import numpy as np
from numpy.typing import NDArray

from ourcli.memory.retrieval.pool import Pool, Scores

FEATURES = (
    "vector",
    "words",
    "standout",
    "similar_vector",
    "similar_words",
    "feedback",
    "previous_vector",
    "previous_words",
    "next_vector",
    "next_words",
    "session_vector",
    "session_words",
    "session_best",
    "speaker",
    "length",
)
"""Names of the columns of `features`."""

_SIMILAR_AMONG = 128
"""Similarity is looked at among so many of the best candidates: enough for the first hundred places, and cheap."""
_SIMILAR = 5
_FEEDBACK = 3
_BEST_OF_SESSION = 3
_LONG_TEXT_CHARS = 2_000
_LEAST_STANDOUT, _MOST_STANDOUT = -2.0, 6.0
_WORD = re.compile(r"[^\W_]+")


def features(pool: Pool, question: str) -> NDArray[np.float64]:
    """Return the features of all candidates, shape [n, len(FEATURES)], each in 0..1.

    - vector, words: cosine (min-max over the pool) and BM25 (share of the best).
    - standout: how far the cosine lies above those of the pool, in standard deviations.
    - similar_vector, similar_words: mean of both over the five candidates most like this one (score regularisation;
      Diaz, "Regularizing ad hoc retrieval scores", CIKM 2005).
    - feedback: likeness to the middle of the three best (Rocchio, 1971).
    - previous_*, next_*: the same two of the turns before and after. session_vector, session_words: mean of the
      session's best three; session_best: the mean of both of its best turn.
    - speaker: the question names who said it. length: of the text, on a logarithmic scale.
    """
    vector, words = normalised(pool.cosine), share_of_best(pool.bm25)
    similar_vector, similar_words = _of_similar(pool, vector, words)
    turns = _Turns(pool)
    columns = {
        "vector": vector,
        "words": words,
        "standout": _standout(pool.cosine),
        "similar_vector": similar_vector,
        "similar_words": similar_words,
        "feedback": _feedback(pool, vector + words),
        "previous_vector": turns.beside(vector, -1),
        "previous_words": turns.beside(words, -1),
        "next_vector": turns.beside(vector, 1),
        "next_words": turns.beside(words, 1),
        "session_vector": turns.best_of_session(vector),
        "session_words": turns.best_of_session(words),
        "session_best": turns.best_of_session((vector + words) / 2.0, 1),
        "speaker": _named(pool.speakers, question),
        "length": np.clip(np.log1p(pool.chars) / np.log(_LONG_TEXT_CHARS), 0.0, 1.0),
    }
    return np.stack([columns[name] for name in FEATURES], axis=1)


def normalised(scores: Scores) -> Scores:
    """Stretch scores to 0..1 (min-max); equal scores all become 1, none stay none."""
    if not scores.size:
        return scores
    low, high = scores.min(), scores.max()
    return np.ones_like(scores) if high <= low else (scores - low) / (high - low)


def share_of_best(scores: Scores) -> Scores:
    """Return scores, none below 0, as a share of the highest; all 0 when that is 0."""
    best = scores.max(initial=0.0)
    return scores / best if best > 0 else np.zeros_like(scores)


def _standout(cosine: Scores) -> Scores:
    spread = cosine.std() if cosine.size else 0.0
    deviations = (cosine - cosine.mean()) / spread if spread > 0 else np.zeros_like(cosine)
    return np.clip((deviations - _LEAST_STANDOUT) / (_MOST_STANDOUT - _LEAST_STANDOUT), 0.0, 1.0)


def _best(scores: Scores, count: int) -> NDArray[np.int64]:
    """Return the places of the highest scores, best first; of equals the first."""
    return np.argsort(-scores, kind="stable")[:count]


def _of_similar(pool: Pool, vector: Scores, words: Scores) -> tuple[Scores, Scores]:
    """Return the means of both scores over each candidate's nearest, weighted by likeness; 0 below the head."""
    found = np.zeros((2, len(pool.ids)), dtype=np.float64)
    head = _best(vector + words, _SIMILAR_AMONG)
    if len(head) > 1:
        likeness = (pool.vectors[head] @ pool.vectors[head].T).astype(np.float64)
        np.fill_diagonal(likeness, 0.0)
        near = np.argpartition(-likeness, min(_SIMILAR, len(head) - 1), axis=1)[:, :_SIMILAR]
        weights = np.maximum(np.take_along_axis(likeness, near, axis=1), 0.0)
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
        for row, scores in zip(found, (vector, words), strict=True):
            row[head] = np.minimum((weights * scores[head][near]).sum(axis=1), 1.0)
    return found[0], found[1]


def _feedback(pool: Pool, base: Scores) -> Scores:
    top = _best(base, _FEEDBACK)
    middle = base[top].astype(np.float32) @ pool.vectors[top]  # in wide numbers all vectors would be copied
    return normalised((pool.vectors @ middle).astype(np.float64))


def _named(speakers: tuple[str, ...], question: str) -> Scores:
    asked = _words_of(question)
    named = {speaker for speaker in set(speakers) if (words := _words_of(speaker)) and words <= asked}
    return np.array([speaker in named for speaker in speakers], dtype=np.float64)


def _words_of(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


class _Turns:
    """Where the turns of conversations stand in a pool; whatever is no turn has no neighbours and no session."""

    def __init__(self, pool: Pool) -> None:
        self._count = len(pool.ids)
        told = enumerate(zip(pool.sessions, pool.turns.tolist(), strict=True))
        turns = [(at, session, turn) for at, (session, turn) in told if session and turn >= 0]
        places = {(session, turn): at for at, session, turn in turns}
        number = {session: place for place, session in enumerate(dict.fromkeys(session for _, session, _ in turns))}
        self._at = np.array([at for at, _, _ in turns], dtype=np.int64)
        self._session = np.array([number[session] for _, session, _ in turns], dtype=np.int64)
        self._beside = {
            step: np.array([(at, places.get((session, turn + step), -1)) for at, session, turn in turns], np.int64)
            for step in (-1, 1)
        }

    def beside(self, scores: Scores, step: int) -> Scores:
        """Return the score of the turn `step` after each one, 0 where it is not in the pool."""
        found = np.zeros(self._count, dtype=np.float64)
        at, other = self._beside[step].reshape(-1, 2).T
        found[at] = np.where(other >= 0, scores[other], 0.0)
        return found

    def best_of_session(self, scores: Scores, count: int = _BEST_OF_SESSION) -> Scores:
        """Return the mean of the `count` best scores of each one's session; what is missing counts 0."""
        found = np.zeros(self._count, dtype=np.float64)
        own = scores[self._at]
        best_first = np.lexsort((-own, self._session))
        session = self._session[best_first]
        place = np.arange(len(session)) - np.searchsorted(session, session)
        kept = place < count
        sums = np.bincount(session[kept], weights=own[best_first][kept])
        found[self._at] = sums[self._session] / count if len(sums) else 0.0
        return found
