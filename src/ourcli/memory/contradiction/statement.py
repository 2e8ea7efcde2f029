"""What a sentence states: its subject, what it chooses or rejects, its quantities, and whether it negates."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ourcli.common.claims import said
from ourcli.common.facts import Fact, is_common, numbers
from ourcli.common.sentences import spans
from ourcli.common.words import stem
from ourcli.memory.contradiction.lexicon import NEUTRAL, canonical, listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number with what it measures.

    Attributes:
        text: As it is written.
        dimension: s, B, %, date, time, month, ... or n for a number without a unit.
        key: The value in the dimension's own unit; equal for "15 minutes" and "900 s".
        about: Words beside it: the thing that is counted or measured.
    """

    text: str
    dimension: str
    key: str
    about: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One sentence, taken apart.

    Attributes:
        subject: Roots of the words that say what it is about; names and quantities left out.
        chosen: Canonical names that it speaks for, with how they are written.
        rejected: Canonical names that it speaks against.
        quantities: Its numbers.
        negated: It says that something is not so.
        additive: It adds to what holds ("also", "as well").
        assigns: It says what or who something is ("the queue is X", "X owns the queue").
    """

    subject: frozenset[str]
    chosen: dict[str, str]
    rejected: dict[str, str]
    quantities: tuple[Quantity, ...]
    negated: bool
    additive: bool
    assigns: bool

    @property
    def words(self) -> frozenset[str]:
        """Subject and names together."""
        return self.subject | frozenset(self.chosen) | frozenset(self.rejected)


_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ][\wÀ-ÖØ-öø-ÿ.+#-]*")
_REASON = re.compile(
    r"[,;:]?\s*\b(?:because|since|so\s+that|in\s+order\s+to|due\s+to|as\s+(?:it|we|they|this|that|the))\b.*",
    re.I | re.S,
)
_SPEAKER = re.compile(
    r"\b(?:the|our)\s+(?:team|group|board|committee|others)\s+(?:\w+\s+){0,2}"
    r"(?=(?:decided|agreed|chose|picked|settled|opted|voted|went|wants?|uses?|will|keeps?)\b)",
    re.IGNORECASE,
)
_OBJECT = re.compile(
    r"\b(?:is|are|was)\s+(?:now\s+)?(?P<called>called\s+|named\s+)?(?P<object>[a-z][a-z0-9]{3,})[.!]?\s*\Z"
)
_QUALITY = re.compile(r"(?:ed|ing|able|ible|ful|less|ive|ous|al|ic|y|en|ish|er|est|ary|ent|ant)\Z")
_HEDGED = re.compile(
    r"\b(?:maybe|perhaps|might|could|would|consider\w*|propos\w*|suggest\w*|wonder\w*|evaluat\w*|discuss\w*|compar\w*"
    r"|if|unless|until|whether|used\s+to|previously|formerly|tried|test(?:ed|ing)\s+out|idea|option)\b|\?\s*$",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"\b(?:not|never|no\s+longer|nobody|nothing|none|without|cannot|stop(?:ped)?|avoid|forbid(?:den)?|ban(?:ned)?|against)\b|n['’]t\b",
    re.IGNORECASE,
)
_NAME = r"(?:the\s+|an?\s+|using\s+)?(?P<{}>[\w.+#-]+)"
_REJECTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:instead\s+of|rather\s+than|in\s+place\s+of|away\s+from|in\s+favou?r\s+of\s+\S+\s+over)\s+{_NAME.format('a')}",
        rf"\bfrom\s+{_NAME.format('a')}\s+(?=to\b)",
        rf"\b(?:replac\w+|drop(?:ped)?|abandon(?:ed)?|retir\w+|reject(?:ed)?|remov\w+)\s+{_NAME.format('a')}",
        rf"\b(?:stop(?:ped)?|no\s+longer|never)\s+(?:to\s+)?us(?:e|ing)\s+{_NAME.format('a')}",
        rf"(?:,|\band|\bbut)\s+not\s+{_NAME.format('a')}(?=\s*(?:[.,;!]|$))",
        rf"\b(?:chose|picked|prefer(?:red)?|selected)\s+\S+\s+(?P<cut>over\s+{_NAME.format('a')})",
    )
)
_ADDS = re.compile(r"\b(?:also|too|as\s+well|additionally|in\s+addition|besides|both|either|or|another|second)\b", re.I)
_ASSIGNS = re.compile(
    r"\b(?:is|are|will\s+be|as|called|named)\s+(?:the|our|a|an|now)?\s*\w+|\b(?:owns?|leads?|maintains?|responsible|in\s+charge)\b"
    r"|\bfor\s+\w+ing\b",
    re.IGNORECASE,
)


def statements(text: str) -> list[Statement]:
    """Return what the sentences of a text state; questions, conditions and mere proposals state nothing."""
    sentences = (text[start:end] for start, end in spans(text[:_READ_CHARS]))
    return [_statement(sentence) for sentence in sentences if not _HEDGED.search(sentence)]


_READ_CHARS = 4_000


def _statement(sentence: str) -> Statement:
    plain = _SPEAKER.sub("", _REASON.sub("", sentence).replace("’", "'"))
    rejected, rest = _split_rejected(plain)
    counted = [fact for match, fact in numbers(rest) if not match["article"]]
    found = dict(_names(rest, counted))
    words = list(_words(rest, [*found, *((fact.start, fact.end) for fact in counted)]))
    return Statement(
        subject=frozenset(root for _, root in words),
        chosen={canonical(name): name for name in found.values()},
        rejected=rejected,
        quantities=tuple(_quantities(rest, counted, words, found)),
        negated=_NEGATED.search(rest) is not None,
        additive=_ADDS.search(rest) is not None,
        assigns=_ASSIGNS.search(rest) is not None,
    )


def _split_rejected(sentence: str) -> tuple[dict[str, str], str]:
    """Return the names that a sentence speaks against, and the sentence without those phrases."""
    rejected: dict[str, str] = {}
    rest = sentence
    for pattern in _REJECTS:
        for match in pattern.finditer(sentence):
            name = match["a"].strip(".,;")
            named = _names(sentence, [fact for _, fact in numbers(sentence)])
            if any(span[0] <= match.start("a") < span[1] for span, _ in named):
                rejected[canonical(name)] = name
                rest = rest.replace(match.groupdict().get("cut") or match[0], " ", 1)
    return rejected, rest


def _names(text: str, counted: Sequence[Fact]) -> Iterator[tuple[tuple[int, int], str]]:
    """Yield names, and words that exclude others, with their place."""
    taken: list[tuple[int, int]] = []
    for match in _WORD.finditer(text):
        if shown := listed(match[0].strip(".-")):
            taken.append(match.span())
            yield match.span(), shown
    taken.extend((fact.start, fact.end) for fact in counted)
    for fact in said(text):
        if not _is_number(fact) and not _within((fact.start, fact.end), taken):
            taken.append((fact.start, fact.end))
            yield (fact.start, fact.end), re.sub(r"['’]s$", "", fact.text)
    found = _OBJECT.search(text)  # "the logging library is loguru"
    if found and _is_object(found) and not _within(found.span("object"), taken):
        yield found.span("object"), found["object"]


def _is_object(found: re.Match[str]) -> bool:
    """Say whether what something is said to be is a name and no quality of it."""
    return found["called"] is not None or not (is_common(found["object"]) or _QUALITY.search(found["object"]))


def _is_number(fact: Fact) -> bool:
    return any(
        key.partition(":")[0] in {"n", "q", "bare", "date", "time", "version", "month"} for key in fact.options[0]
    )


def _within(span: tuple[int, int], spans_: Sequence[tuple[int, int]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in spans_)


def _words(text: str, outside: Sequence[tuple[int, int]]) -> Iterator[tuple[int, str]]:
    """Yield the roots of the words that make a subject, with their place; names and numbers are outside."""
    for match in _WORD.finditer(text):
        for part in re.finditer(r"[^\W\d_]{2,}", match[0]):
            start = match.start() + part.start()
            word = part[0].lower()
            if word not in NEUTRAL and not _within((start, start + len(word)), outside):
                yield start, _root(word)


def _root(word: str) -> str:
    """Return a word without plural, -ing, -ed and -ment."""
    word = stem(word)
    for ending in ("ment", "ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
                word = word[:-1]
            break
    return word.removesuffix("e") if len(word) > 3 else word


def _quantities(
    text: str, counted: Sequence[Fact], words: Sequence[tuple[int, str]], named: dict[tuple[int, int], str]
) -> Iterator[Quantity]:
    things = [(start, word) for start, word in words if word != "every"]
    beside = sorted([*things, *((span[0], canonical(name)) for span, name in named.items())])
    for fact in counted:
        kind, _, value = min(fact.options[0]).partition(":")
        number, _, unit = value.partition("|")
        yield Quantity(
            text=fact.text,
            dimension=unit if kind == "q" else kind,
            key=number if kind == "q" else "|".join(sorted(fact.options[0])),
            about=_about(text, (fact.start, fact.end), beside),
        )


def _about(text: str, span: tuple[int, int], beside: Sequence[tuple[int, str]]) -> frozenset[str]:
    """Return what a number is about: the word right after it, else the two words before it, else the next ones."""
    following = re.match(r"[\s-]*(?:of\s+(?:the\s+)?)?", text[span[1] :])
    next_start = span[1] + (following.end() if following else 0)
    if after := [word for start, word in beside if start == next_start]:
        return frozenset(after)
    before = [word for start, word in beside if start < span[0]]
    return frozenset(before[-2:] or [word for start, word in beside if start > span[1]][:2])
