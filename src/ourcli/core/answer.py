"""Checks an answer against what it was made from: numbers and names that neither evidence nor question holds.

Pure functions on texts. Nothing here knows whether a claim is true; it says only that nothing given holds it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from ourcli.common.claims import Claim, said, word_fact
from ourcli.common.facts import Fact, Holding, is_common
from ourcli.common.words import NUMBER_WORDS, UNITS, stem

MARK = "[?]"
"""What stands after a number or name that nothing given holds."""


_INLINE_CODE = re.compile(r"`[^`\n]+`")
_LOWER_WORD = re.compile(r"\b[a-z]{4,}\b")


def mark(answer: str, claims: Iterable[Claim]) -> str:
    """Return the answer with `[?]` after every claim; inside `code` the mark stands after the code."""
    codes = [match.span() for match in _INLINE_CODE.finditer(answer)]
    places = {_place(answer, claim.span, codes) for claim in claims}
    for place in sorted(places, reverse=True):
        answer = f"{answer[:place]}{MARK}{answer[place:]}"
    return answer


def missing_facts(answer: str, evidence: Sequence[str], question: str) -> tuple[str, ...]:
    """Return what the evidence adds to the question, when the answer holds none of it; else nothing.

    A model that was given the answer and says none of its numbers, names or uncommon words has most likely missed
    it: the caller shows the quotes beside.
    """
    asked, answered = Holding((question,)), Holding((answer,))
    facts = [fact for text in evidence for fact in said(text)]
    new = [fact for fact in facts if not asked.holds(fact)]
    if any(answered.holds(fact) for fact in new) or any(
        answered.holds(word) and not asked.holds(word) for text in evidence for word in _uncommon_words(text)
    ):
        return ()
    return tuple(dict.fromkeys(fact.text for fact in new))


def repeats_exactly(answer: str, evidence: str, question: str) -> bool:
    """Say whether the answer holds, letter for letter, a number or name that the evidence adds to the question.

    True also when the evidence adds none. What is said in other words ("fifteen", "15-minute") is right more often
    than not, but the user deserves the exact words beside it.
    """
    facts = missing_facts("", [evidence], question)
    return not facts or any(fact.lower() in answer.lower() for fact in facts)


def _uncommon_words(text: str) -> Iterator[Fact]:
    """Yield words that say something of their own, as "heron" in "the database is called heron"."""
    for match in _LOWER_WORD.finditer(text):
        if not is_common(match[0]) and match[0] not in UNITS and match[0] not in NUMBER_WORDS:
            yield word_fact(stem(match[0]))


def _place(answer: str, span: tuple[int, int], codes: Sequence[tuple[int, int]]) -> int:
    end = next((code[1] for code in codes if code[0] <= span[0] < code[1]), span[1])
    while end < len(answer) and answer[end] in "*_":
        end += 1
    return end
