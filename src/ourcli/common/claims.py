"""What a text says that can be checked: its numbers and names, and which of them nothing given holds.

Pure functions on texts. Nothing here knows whether a claim is true.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ourcli.common.facts import Fact, Holding, is_common, names, numbers
from ourcli.common.words import MONTHS, NUMBER_WORDS


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
_INITIAL = re.compile(r"(?:\A|[.!?:;…\n|\"“(\[])[\s*_\"'“‘(\[>#+•-]{0,12}\Z")
_ACTS = re.compile(
    r"\s+(?:is|was|has|said|says|decided|chose|suggested|proposed|prefers|wants|wrote|owns|leads|asked|agreed"
    r"|recommended|reported|will|uses|and\s+[A-Z])\b"
)
_ORDINARY_ENDING = re.compile(
    r"(?:ing|tion|sion|ment|ness|ity|ance|ence|ers?|ors?|ed|ly|als?|ics?|ive|able|ism|age|ure|ful|est|ship|dom)\Z"
)
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


def said(text: str) -> list[Fact]:
    """Return the numbers and names that a text asserts, list numbers left out."""
    blanked = _blank(text, _LIST_NUMBER)
    return [*_said_numbers(blanked), *_said_names(blanked)]


def _said_numbers(text: str) -> list[Fact]:
    """Return the numbers a text asserts: not "a minute", nor "two reasons", nor the verb "May"."""
    found = []
    for match, fact in numbers(text):
        small = match["word"] is not None and match["word_unit"] is None and match["word"].lower() in _SMALL_WORDS
        verb = match["month"] == "May" and not re.search(r"\d\s*\Z|\A\s*\d", text[match.start() - 3 : match.start()])
        if match["article"] or small or (verb and not re.match(r"\s*\d", text[match.end() : match.end() + 3])):
            continue
        found.append(fact)
    return found


def _said_names(text: str) -> list[Fact]:
    found = []
    for match, fact in names(text):
        if match["compound"]:
            keep = not _ordinary_compound(match["compound"])
        elif match["acronym"]:
            keep = not is_common(match["acronym"])
        else:
            keep = _is_name(text, match)
        if keep:
            found.append(fact)
    return found


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
    return len(parts) == 2 and all(is_common(part) or held.holds(word_fact(part)) for part in parts)


def word_fact(part: str) -> Fact:
    """Return a word as a fact that texts hold or not."""
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
