"""Which of the numbered notes an answer stands on: those it names, and those whose content it repeats."""

import re
from collections.abc import Sequence

from ourcli.common.meaning import words_of
from ourcli.core.answer import missing_facts
from ourcli.core.prompt import PackedEvidence

_NAMED = re.compile(r"\[(\d{1,2}(?:\s*[,;]\s*\d{1,2})*)\]")
_DECLINES = re.compile(
    r"\b(?:notes?|memory|evidence|text|context)\b[^.\n]{0,40}\b(?:do(?:es)?\s+not|don't|doesn't|no)\b"
    r"|\b(?:is|are)\s+not\s+(?:in|mentioned|given|specified|stated)\b|\bI\s+(?:do\s+not|don't)\s+know\b",
    re.IGNORECASE,
)
_REPEATED_SHARE = 0.5
_SHORT_ANSWER = 400


def declines(answer: str) -> bool:
    """Say whether a short answer is that the notes do not hold the answer."""
    return len(answer) < _SHORT_ANSWER and _DECLINES.search(answer) is not None


def stands_on(answer: str, notes: Sequence[PackedEvidence], question: str) -> tuple[PackedEvidence, ...]:
    """Return the notes an answer stands on, in their order; none when it says that they do not hold the answer.

    A note counts when the answer names its number, holds one of the numbers or names that the note adds to the
    question, or repeats half of the words that it adds.
    """
    if declines(answer):
        return ()
    named = {int(number) for group in _NAMED.findall(answer) for number in re.findall(r"\d+", group)}
    return tuple(note for note in notes if note.number in named or _repeats(answer, note, question))


def with_numbers(answer: str, notes: Sequence[PackedEvidence]) -> str:
    """Return the answer with the numbers of its notes at its end, unless it names some itself."""
    if not notes or _NAMED.search(answer):
        return answer
    return f"{answer} {''.join(f'[{note.number}]' for note in notes)}"


def _repeats(answer: str, note: PackedEvidence, question: str) -> bool:
    added = words_of(note.evidence.text) - words_of(question)
    if not added:
        return False
    if len(added & words_of(answer)) / len(added) >= _REPEATED_SHARE:
        return True
    facts = missing_facts("", [note.evidence.text], question)
    return bool(facts) and not missing_facts(answer, [note.evidence.text], question)
