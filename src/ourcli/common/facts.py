"""The checkable facts in a text: numbers (with units, dates, versions) and names.

Each fact knows in which ways another text can hold it: "15 min" is held by "fifteen minutes", "900 s" or a bare
"15", but not by "15 seconds".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property

from ourcli.common.words import COMMON_WORDS, KNOWN_ACRONYMS, MONTHS, NUMBER_WORDS, SCALES, UNITS, stem


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A number or a name in a text.

    Attributes:
        text: As it is written.
        start: Where it begins.
        end: Where it ends.
        options: Sets of keys; a text that holds all keys of one set holds the fact.
    """

    text: str
    start: int
    end: int
    options: tuple[frozenset[str], ...]


_UNIT = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True))
_UNIT_BY_LOWER = {name.lower(): name for name in UNITS}
_WORD_NUMBER = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_MONTH = "|".join(sorted((name.capitalize() for name in MONTHS), key=len, reverse=True))
_NUMBER = re.compile(
    rf"""
      (?P<date>\b\d{{4}}-\d{{1,2}}-\d{{1,2}}\b)
    | (?P<time>\b\d{{1,2}}:\d{{2}}(?::\d{{2}})?\b)
    | (?P<version>\bv?\d{{1,9}}(?:\.\d{{1,9}}){{2,5}}\b)
    | (?<![\w.])v?
      (?P<digits>\d{{1,3}}(?:[,_]\d{{3}}){{1,6}}(?!\d)(?:\.\d{{1,12}})?|\d{{1,18}}(?:\.\d{{1,12}})?|\.\d{{1,12}})
      (?P<ordinal>st\b|nd\b|rd\b|th\b)?
      (?:(?P<scale>k\b|\s(?:thousand|million|billion)\b))?
      (?:[\s\u00a0-]?(?P<unit>{_UNIT})(?![A-Za-z]))?
    | \b(?P<word>(?:{_WORD_NUMBER})(?:[\s-](?:{_WORD_NUMBER})){{0,2}})\b(?:[\s-](?P<word_unit>{_UNIT})(?![A-Za-z]))?
    | \b(?P<article>an?)\s(?P<article_unit>second|minute|hour|day|week|month|year)\b
    | \b(?P<month>(?-i:{_MONTH}))\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ][A-Za-zÀ-ÖØ-öø-ÿ0-9]*(?:['’][A-Za-z]+)?")
_NAME = re.compile(
    r"(?P<compound>(?<![\w/.~-])(?:~|\.{1,2})?/?[A-Za-z_][\w-]*(?:(?:[./:]{1,2})[\w-]+)+(?:\(\))?"
    r"|(?<![\w-])--[a-z][\w-]+"
    r"|\b[A-Za-z]\w*_\w+\b(?:\(\))?"
    r"|\b[A-Za-z]*[a-z][A-Z]\w*\b(?:\(\))?"
    r"|\b[a-z]\w*\(\))"
    r"|(?P<acronym>\b[A-Z][A-Z0-9]{1,7}s?\b)"
    r"|(?P<capital>\b[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]+(?:['’]s)?\b)"
)


def plain_number(text: str) -> str:
    """Return a number's one spelling: `5,000`, `5_000` and `5000.0` are all `5000`."""
    try:
        value = Decimal(text.replace(",", "").replace("_", ""))
    except InvalidOperation:
        return text
    return format(value.normalize(), "f") if value else "0"


def _spoken(words: str) -> Decimal:
    total, current = Decimal(0), Decimal(0)
    for word in re.split(r"[\s-]+", words.lower()):
        value = NUMBER_WORDS[word]
        current = max(current, Decimal(1)) * value if value >= 100 else current + value
    return total + current


def numbers(text: str) -> Iterator[tuple[re.Match[str], Fact]]:
    """Yield every number, date, time, version and month with the match that found it."""
    for match in _NUMBER.finditer(text):
        options = tuple(map(frozenset, _number_options(match)))
        yield match, Fact(text=match[0], start=match.start(), end=match.end(), options=options)


def _number_options(match: re.Match[str]) -> list[set[str]]:
    if match["date"]:
        year, month, day = (str(int(part)) for part in match["date"].split("-"))
        return [{f"date:{year}-{month}-{day}"}, {f"n:{year}", f"month:{month}", f"n:{day}"}]
    if match["time"]:
        return [{f"time:{match['time'].lstrip('0')}"}]
    if match["version"]:
        return [{f"version:{match['version'].lower().lstrip('v')}"}]
    if match["month"]:
        return [{f"month:{MONTHS[match['month'].lower()]}"}]
    return _quantity_options(*_quantity(match))


def _quantity(match: re.Match[str]) -> tuple[str, str]:
    """Return the plain number and the unit as written, or ""."""
    if match["article"]:
        return "1", match["article_unit"].lower()
    if match["word"]:
        return plain_number(str(_spoken(match["word"]))), _unit(match["word_unit"])
    number = plain_number(match["digits"])
    scale = (match["scale"] or "").strip().lower()
    if scale:
        number = plain_number(str(Decimal(number) * SCALES[scale]))
    return number, _unit(match["unit"])


def _unit(written: str | None) -> str:
    """Return the unit's key in `UNITS`, or "": single letters count in their own case only (5M is no 5 minutes)."""
    if not written or written in UNITS:
        return written or ""
    return _UNIT_BY_LOWER.get(written.lower(), "") if len(written) > 1 else ""


def _quantity_options(number: str, unit: str) -> list[set[str]]:
    if not unit:
        return [{f"n:{number}"}]
    factor, dimension = UNITS[unit]
    return [{f"q:{plain_number(str(Decimal(number) * Decimal(factor)))}|{dimension}"}, {f"bare:{number}"}]


def names(text: str) -> Iterator[tuple[re.Match[str], Fact]]:
    """Yield everything that is written like a name or an identifier with the match that found it."""
    for match in _NAME.finditer(text):
        found = match[0]
        if match["compound"]:
            options = [{f"squashed:{squash(found)}"}]
        elif match["acronym"]:
            plain = found.removesuffix("s").lower()
            options = [{f"word:{plain}"}, {f"initials:{plain}"}]
        else:
            word = re.sub(r"['’]s$", "", found)
            options = [{f"word:{stem(word.lower())}"}]
        yield match, Fact(text=found, start=match.start(), end=match.end(), options=tuple(map(frozenset, options)))


def squash(text: str) -> str:
    """Return only the letters and digits, lower case: `write-through`, `WriteThrough` become one."""
    return re.sub(r"[\W_]+", "", text).lower()


def is_common(word: str) -> bool:
    """Say whether a capitalised word is ordinary English or an acronym that everyone uses."""
    lowered = re.sub(r"['’]s$", "", word).lower()
    return lowered in COMMON_WORDS or stem(lowered) in COMMON_WORDS or word.removesuffix("s") in KNOWN_ACRONYMS


class Holding:
    """What a set of texts holds, for looking facts up."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._text = "\n".join(texts)

    def holds(self, fact: Fact) -> bool:
        """Say whether the texts hold the fact in one of its ways."""
        return any(all(self._holds(key) for key in option) for option in fact.options)

    def _holds(self, key: str) -> bool:
        kind, _, value = key.partition(":")
        if kind == "word":
            return value in self._words
        if kind == "squashed":
            return value in self._squashed
        if kind == "initials":
            return len(value) >= 3 and value in self._initials
        return key in self._numbers

    @cached_property
    def _words(self) -> frozenset[str]:
        spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", self._text).replace("_", " ")
        found = {word.lower() for source in (self._text, spaced) for word in _WORD.findall(source)}
        return frozenset(found | {stem(re.sub(r"['’]s$", "", word)) for word in found})

    @cached_property
    def _squashed(self) -> str:
        return squash(self._text)

    @cached_property
    def _initials(self) -> str:
        return "".join(word[0].lower() for word in _WORD.findall(self._text))

    @cached_property
    def _numbers(self) -> frozenset[str]:
        keys: set[str] = set()
        for match, fact in numbers(self._text):
            keys.update(*fact.options[:1])
            if match["date"]:
                keys.update(*fact.options[1:])
            elif not (match["time"] or match["version"] or match["month"]):
                number, unit = _quantity(match)
                keys.update({f"n:{number}"} if unit else {f"n:{number}", f"bare:{number}"})
        return frozenset(keys)
