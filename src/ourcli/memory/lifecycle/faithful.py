"""Whether a shorter text says only what its sources say, as far as that can be checked without understanding it."""

import re
from collections.abc import Iterator, Sequence

from ourcli.common.claims import said, word_fact
from ourcli.common.facts import Fact, Holding, is_common, names, numbers
from ourcli.common.words import NUMBER_WORDS, UNITS, stem

_WORD = re.compile(r"\b[a-z][a-z0-9]{3,}\b")
_ENDING = re.compile(r"(?:ing|tions?|sions?|ments?|ness|ity|ances?|ences?|ed|ly|able|ible)\Z")
_NEGATION = re.compile(
    r"\b(?:not|never|no|none|nor|neither|without|cannot|nothing|nobody|stop(?:ped|s)?|drop(?:ped|s)?|avoid(?:ed|s)?"
    r"|reject(?:ed|s)?|instead|rather|against|refuse[sd]?)\b|n['’]t\b",
    re.IGNORECASE,
)


def invented(text: str, sources: Sequence[str]) -> tuple[str, ...]:
    """Return the numbers and names of a text that no source holds, as they are written; in doubt a word is a name.

    Stricter than the check of an answer: every number counts, also a written-out one, and so does every uncommon
    word, capitalised or not, unless it is an inflected form such as "caching".
    """
    held = Holding(tuple(sources))
    return tuple(dict.fromkeys(fact.text for fact in _facts(text) if not _holds(held, fact)))


def turned(text: str, sources: Sequence[str]) -> bool:
    """Say whether a text negates where none of its sources does, or none of it where each of them does."""
    negated = [_NEGATION.search(source) is not None for source in sources]
    own = _NEGATION.search(text) is not None
    return own not in negated


def passed_over(text: str, sources: Sequence[str]) -> tuple[str, ...]:
    """Return those sources of whose numbers and names a text holds none."""
    held = Holding((text,))
    return tuple(source for source in sources if (facts := said(source)) and not any(map(held.holds, facts)))


def _facts(text: str) -> Iterator[Fact]:
    for match, fact in numbers(text):
        if not match["article"]:
            yield fact
    for match, fact in names(text):
        if match["compound"] or not is_common(fact.text):
            yield fact
    for match in _WORD.finditer(text):
        word = match[0]
        if not (is_common(word) or word in UNITS or word in NUMBER_WORDS or _ENDING.search(word)):
            yield word_fact(stem(word))


def _holds(held: Holding, fact: Fact) -> bool:
    if held.holds(fact):
        return True
    parts = [part for part in re.split(r"[\W_]+", fact.text) if part]  # "read/write" is no name of its own
    return len(parts) > 1 and all(is_common(part) or held.holds(word_fact(stem(part.lower()))) for part in parts)
