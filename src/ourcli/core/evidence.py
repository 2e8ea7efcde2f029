"""Which hits an answer may stand on: absolute relevance, not only the best of what there is.

A search always has a best hit, also for a question that memory cannot answer. Relevance here is absolute: a
small logistic model over the cosine of question and text, their late interaction (where the reranker gave it)
and the share of the question's meaningful words that the text holds. `docs/decisions` says how its weights
were found and how well they separate.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ourcli.common.meaning import words_of
from ourcli.core.prompt import Evidence
from ourcli.memory.query import Hit
from ourcli.memory.record import Trust

SIMILARITY_WEIGHT = 10.0
COVERAGE_WEIGHT = 1.0
BIAS = -7.3
"""Weights of the logistic model: cosine plus late interaction (0..2), coverage (0..1), bias."""

USABLE = 0.08
"""From here on a hit may stand in the prompt."""
USABLE_WHEN_ASKED_ABOUT_US = 0.04
"""The same for a question about "we" or "our", which only memory can answer."""
STRONG = 0.5
"""From here on a hit may be quoted as an answer."""
MOST_EVIDENCE = 6
_NEAR_THE_BEST = 0.35
_ABOUT_US = re.compile(r"\b(?:we|our|ours|us|my|mine|the team)\b", re.IGNORECASE)
_TRUST_FACTORS = {Trust.USER: 1.0, Trust.TOOL: 0.85, Trust.MODEL: 0.7, Trust.WEB: 0.7}
_ABOUT_EARLIER = re.compile(
    r"\b(?:you|your|earlier|before|last\s+time|previous(?:ly)?|again|discuss\w*|talk\w*|said|suggest\w*|recommend\w*)\b",
    re.IGNORECASE,
)
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
    cosine = hit.card.vector.score
    interaction = cosine if hit.card.rerank is None else hit.card.rerank
    drive = BIAS + SIMILARITY_WEIGHT * (cosine + interaction) + COVERAGE_WEIGHT * coverage(question, hit.record.text)
    return _TRUST_FACTORS[hit.record.trust] / (1.0 + math.exp(-drive))


def select(question: str, hits: Sequence[Hit], *, session: str) -> tuple[Found, ...]:
    """Return the hits that count as evidence, best first.

    Left out: earlier questions (they hold no answer); earlier answers, unless the question is about what was said
    and their own source is not among the hits (a model's invention must not become its evidence); turns of this
    very session (they are the conversation); whatever is too weak by itself or far behind the best; doubles of a
    text.
    """
    seen: set[str] = set()
    there = {hit.record.id for hit in hits}
    about_earlier = _ABOUT_EARLIER.search(question) is not None
    found = []
    for hit in hits:
        record = hit.record
        own_turn = bool(session) and record.session == session and record.turn is not None
        retold = record.trust is Trust.MODEL and not (about_earlier and there.isdisjoint(record.parents))
        if record.kind == _QUESTION_KIND or own_turn or retold or record.text in seen:
            continue
        seen.add(record.text)
        found.append(Found(hit=hit, relevance=relevance(question, hit)))
    found.sort(key=lambda one: one.relevance, reverse=True)
    usable = USABLE_WHEN_ASKED_ABOUT_US if _ABOUT_US.search(question) else USABLE
    floor = max(usable, _NEAR_THE_BEST * found[0].relevance) if found else usable
    return tuple(one for one in found if one.relevance >= floor)[:MOST_EVIDENCE]
