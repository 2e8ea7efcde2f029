"""Checks an answer against what it was made from: numbers and names that neither evidence nor question holds.

Pure functions on texts. Nothing here knows whether a claim is true; it says only that nothing given holds it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ourcli.core.facts import Fact, Holding, is_common, names, numbers
from ourcli.core.words import MONTHS, NUMBER_WORDS, UNITS, stem

MARK = "[?]"
"""What stands after a number or name that nothing given holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A number or name of an answer that nothing given holds; `span` is its place in the answer."""

    text: str
    span: tuple[int, int]


_FENCE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_NOT_SAID = re.compile(
    r"\[\d+(?:\s*[,;-]\s*\d+)*\]"  # citations
    r"|https?://\S+"
    r"|\b(?:[Ss]teps?|[Nn]otes?|[Oo]ptions?|[Pp]oints?|[Pp]arts?|[Qq]uestions?)\s+\d+(?:(?:,\s*|\s+and\s+)\d+)*\b"
)
_LIST_NUMBER = re.compile(r"^[ \t]*(?:#+[ \t]*)?\d+[.)](?=\s)", re.MULTILINE)
_HEADING = re.compile(
    r"^[ \t]*(?:\#{1,6}\s.*$"
    r"|(?:[-*+][ \t]+|\d+[.)][ \t]+)?(?:\*\*[^*\n]{1,80}\*\*|__[^_\n]{1,80}__)[ \t]*:?"
    r"|(?:[-*+][ \t]+|\d+[.)][ \t]+)[A-Z][\w -]{1,40}:(?=\s)"
    r"|\|.*\|[ \t]*\n[ \t]*\|[ :|-]+\|[ \t]*$)",
    re.MULTILINE,
)
_INLINE_CODE = re.compile(r"`[^`\n]+`")
_INITIAL = re.compile(r"(?:\A|[.!?:;…\n|\"“(\[])[\s*_\"'“‘(\[>#+•-]{0,12}\Z")
_ACTS = re.compile(
    r"\s+(?:is|was|has|said|says|decided|chose|suggested|proposed|prefers|wants|wrote|owns|leads|asked|agreed"
    r"|recommended|reported|will|uses|and\s+[A-Z])\b"
)
_ORDINARY_ENDING = re.compile(
    r"(?:ing|tion|sion|ment|ness|ity|ance|ence|ers?|ors?|ed|ly|als?|ics?|ive|able|ism|age|ure|ful|est|ship|dom)\Z"
)
_LOWER_WORD = re.compile(r"\b[a-z]{4,}\b")
_SMALL_WORDS = frozenset(word for word, number in NUMBER_WORDS.items() if number <= 12)


def unsupported(answer: str, evidence: Sequence[str], question: str) -> tuple[Claim, ...]:
    """Return the numbers and names of an answer that neither evidence nor question holds, in order.

    Without any evidence only numbers are looked at: general knowledge names things all the time, and the caller
    says once that memory has nothing. Fenced code, headings, list numbers and citations are never claims.

    Args:
        answer: Markdown.
        evidence: Texts the answer was made from; include the names of their files.
        question: The user's words, with the conversation when there is one.
    """
    held = Holding((*evidence, question))
    numeric = _blank(answer, _FENCE, _NOT_SAID, _LIST_NUMBER)
    found = [fact for fact in _said_numbers(numeric) if not held.holds(fact)]
    if any(text.strip() for text in evidence):
        named = _blank(numeric, _HEADING)
        found += [fact for fact in _said_names(named) if not _name_held(fact, held)]
    return _merge(answer, found)


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
    asked, said = Holding((question,)), Holding((answer,))
    texts = [_blank(text, _LIST_NUMBER) for text in evidence]
    facts = [fact for text in texts for fact in (*_said_numbers(text), *_said_names(text))]
    new = [fact for fact in facts if not asked.holds(fact)]
    if any(said.holds(fact) for fact in new) or any(
        said.holds(word) and not asked.holds(word) for text in texts for word in _uncommon_words(text)
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


def _said_numbers(text: str) -> list[Fact]:
    """Return the numbers a text asserts: not "a minute", nor "two reasons", nor the verb "May"."""
    said = []
    for match, fact in numbers(text):
        small = match["word"] is not None and match["word_unit"] is None and match["word"].lower() in _SMALL_WORDS
        verb = match["month"] == "May" and not re.search(r"\d\s*\Z|\A\s*\d", text[match.start() - 3 : match.start()])
        if match["article"] or small or (verb and not re.match(r"\s*\d", text[match.end() : match.end() + 3])):
            continue
        said.append(fact)
    return said


def _said_names(text: str) -> list[Fact]:
    said = []
    for match, fact in names(text):
        if match["compound"]:
            keep = not _ordinary_compound(match["compound"])
        elif match["acronym"]:
            keep = not is_common(match["acronym"])
        else:
            keep = _is_name(text, match)
        if keep:
            said.append(fact)
    return said


def _uncommon_words(text: str) -> Iterator[Fact]:
    """Yield words that say something of their own, as "heron" in "the database is called heron"."""
    for match in _LOWER_WORD.finditer(text):
        if not is_common(match[0]) and match[0] not in UNITS and match[0] not in NUMBER_WORDS:
            yield _word(stem(match[0]))


def _ordinary_compound(written: str) -> bool:
    """Say whether it is `and/or`, `e.g`, `read/write` or the like."""
    if not re.fullmatch(r"[A-Za-z]+(?:[./:-]+[A-Za-z]+)*", written) or re.search(r"[a-z][A-Z]", written):
        return False
    return all(is_common(part) or len(part) == 1 for part in re.split(r"[./:-]+", written))


def _is_name(text: str, match: re.Match[str]) -> bool:
    word = match["capital"]
    if is_common(word) or word.lower() in MONTHS or word.lower() in NUMBER_WORDS:
        return False
    if not _INITIAL.search(text[max(0, match.start() - 14) : match.start()]):
        return match.start() >= 14 or bool(text[: match.start()].strip(" \t*_\"'([>#+-•"))
    return not _ORDINARY_ENDING.search(word) and _ACTS.match(text, match.end()) is not None


def _name_held(fact: Fact, held: Holding) -> bool:
    if held.holds(fact):
        return True
    parts = re.split(r"[/:]+", fact.text)  # "read/write"; a path's parts have dots and are more than words
    return len(parts) == 2 and all(is_common(part) or held.holds(_word(part)) for part in parts)


def _word(part: str) -> Fact:
    return Fact(text=part, start=0, end=len(part), options=(frozenset({f"word:{part.lower()}"}),))


def _blank(text: str, *patterns: re.Pattern[str]) -> str:
    """Return the text with every match replaced by newlines of the same length, so that places stay."""
    for pattern in patterns:
        text = pattern.sub(lambda match: "\n" * len(match[0]), text)
    return text


def _merge(answer: str, found: Iterable[Fact]) -> tuple[Claim, ...]:
    """Join claims that overlap or are parted by one space only: "Grace Hopper" is one name."""
    spans: list[tuple[int, int]] = []
    for fact in sorted(found, key=lambda one: (one.start, -one.end)):
        if spans and (fact.start <= spans[-1][1] or answer[spans[-1][1] : fact.start] == " "):
            spans[-1] = (spans[-1][0], max(spans[-1][1], fact.end))
        else:
            spans.append((fact.start, fact.end))
    return tuple(Claim(text=answer[start:end], span=(start, end)) for start, end in spans)


def _place(answer: str, span: tuple[int, int], codes: Sequence[tuple[int, int]]) -> int:
    end = next((code[1] for code in codes if code[0] <= span[0] < code[1]), span[1])
    while end < len(answer) and answer[end] in "*_":
        end += 1
    return end
