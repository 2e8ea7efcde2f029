"""Which hits an answer may stand on: absolute relevance, not only the best of what there is.

A search always has a best hit, also for a question that memory cannot answer. Relevance here is absolute:
a small logistic model over the cosine of question and text and the share of the question's meaningful words
that the text holds. `benchmarks/evidence_threshold.py` learns and judges its weights.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ourcli.core.prompt import Evidence
from ourcli.core.quote import words_of
from ourcli.memory.query import Hit
from ourcli.memory.record import Trust

COSINE_WEIGHT = 14.0
COVERAGE_WEIGHT = 4.0
BIAS = -8.0
"""Weights of the logistic model: cosine, coverage (both 0..1), bias."""

USABLE = 0.25
"""From here on a hit may stand in the prompt."""
STRONG = 0.5
"""From here on a hit may be quoted as an answer."""
MOST_EVIDENCE = 6
_NEAR_THE_BEST = 0.45
_TRUST_FACTORS = {Trust.USER: 1.0, Trust.TOOL: 0.85, Trust.MODEL: 0.7, Trust.WEB: 0.7}
_QUESTION_KIND = "question"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A hit that counts as evidence, with its absolute relevance in 0..1."""

    hit: Hit
    relevance: float

    @property
    def quotable(self) -> bool:
        """Say whether it may be shown as the answer: strong, and not a model's own earlier words."""
        return self.relevance >= STRONG and self.hit.record.trust is not Trust.MODEL

    def as_evidence(self) -> Evidence:
        """Return it for the prompt, scored by relevance."""
        evidence = replace(Evidence.from_hit(self.hit), score=self.relevance)
        return replace(evidence, label="an earlier answer") if self.hit.record.trust is Trust.MODEL else evidence


def coverage(question: str, text: str) -> float:
    """Return the share of the question's meaningful words that the text holds, 0..1."""
    asked = words_of(question)
    return len(asked & words_of(text)) / len(asked) if asked else 0.0


def relevance(question: str, hit: Hit) -> float:
    """Return how likely the record speaks to the question, 0..1, its trust considered."""
    drive = BIAS + COSINE_WEIGHT * hit.card.vector.score + COVERAGE_WEIGHT * coverage(question, hit.record.text)
    return _TRUST_FACTORS[hit.record.trust] / (1.0 + math.exp(-drive))


def select(question: str, hits: Sequence[Hit], *, session: str) -> tuple[Found, ...]:
    """Return the hits that count as evidence, best first.

    Left out: earlier questions (they hold no answer), turns of this very session (they are the conversation),
    whatever is too weak by itself or far behind the best, and doubles of a text.
    """
    seen: set[str] = set()
    found = []
    for hit in hits:
        record = hit.record
        own_turn = bool(session) and record.session == session and record.turn is not None
        if record.kind == _QUESTION_KIND or own_turn or record.text in seen:
            continue
        seen.add(record.text)
        found.append(Found(hit=hit, relevance=relevance(question, hit)))
    found.sort(key=lambda one: one.relevance, reverse=True)
    floor = max(USABLE, _NEAR_THE_BEST * found[0].relevance) if found else USABLE
    return tuple(one for one in found if one.relevance >= floor)[:MOST_EVIDENCE]
