"""Tells what kind of request a text is, by patterns that can be read in one table.

English only; whatever no pattern claims is a question. The patterns are anchored at the start and look at a
bounded head of the text, so that any input is answered at once.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class RequestKind(StrEnum):
    """What the user wants."""

    QUESTION = "question"
    REMEMBER = "remember"
    DECISION = "decision"
    INGEST = "ingest"
    TOOL = "tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A routed text.

    Attributes:
        kind: What the user wants.
        text: The question, the statement without the words of command, or the decision as it was said.
        tags: Tags that follow from the words: `decision`.
        paths: What is to be ingested.
    """

    kind: RequestKind
    text: str
    tags: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


DECISION_TAG = "decision"
_HEAD_CHARS = 600
_TAIL_CHARS = 4000

_POLITE = r"(?:(?:please|pls|hey|ok|okay|also|and|so|then|now|well|fyi|btw)[,:!]?\s+){0,3}"
_ASKING = (
    r"(?:(?:can|could|would|will)\s+you\s+(?:please\s+|kindly\s+)?"
    r"|i(?:'d|\s+would)?\s+(?:like|want)\s+you\s+to\s+)"
)
_ABOUT = r"(?:my|our|the|this|these|those|i|we|he|she|they|it|all|every|each|no|never|always)\b"
_STATES = (
    r"(?:is|are|was|were|am|has|have|had|uses?|must|should|will|can|cannot|lives?|runs?|needs?|wants?|prefers?|likes?"
    r"|starts?|ends?|goes|belongs?|means|equals|expires?)\b"
)

REMEMBER: tuple[tuple[str, str], ...] = (
    ("remember that …", r"remember\s*(?:that\b|this\s*[:,]|[:,])"),
    ("remember to …", r"(?:remember|don'?t\s+forget|do\s+not\s+forget)\s+to\b"),
    ("remember my name is …", rf"remember(?=\s+{_ABOUT}[^.?!\n]{{0,120}}\s{_STATES})"),
    ("don't forget that …", r"(?:don'?t|do\s+not|never)\s+forget\s*(?:that\b|[:,])"),
    ("note that …, note: …", r"(?:take\s+)?(?:a\s+)?note\s*(?:to\s+self)?\s*(?:that\b|[:,])"),
    ("make a note that …", r"make\s+(?:a\s+)?note\s*(?:that\b|of\s+this\s*[:,]|[:,])"),
    ("keep in mind that …", r"(?:keep|bear)\s+(?:it\s+|this\s+)?in\s+mind\s*(?:that\b|[:,]|,)"),
    ("keep in mind we use …", rf"(?:keep|bear)\s+in\s+mind(?=\s+{_ABOUT}[^.?!\n]{{0,120}}\s{_STATES})"),
    ("for the record, …", r"for\s+(?:the\s+record|future\s+reference)\s*[:,]"),
    ("save this: …", r"(?:save|store|memori[sz]e|write\s+down)\s*(?:this|that|the\s+fact\s+that|:)\s*:?"),
)
"""How people ask to have something remembered. What matches is cut off; the rest is the statement."""

_WHEN = (
    r"(?:(?:yesterday|today|tonight|finally|recently|earlier|just\s+now|last\s+\w+|this\s+\w+|on\s+\w+"
    r"|(?:in|at|after|during|for|as\s+of)\s+[^.?!,\n]{1,60}|fyi|btw|update|note)\s*[,:]?\s+)?"
)
_WHO = r"(?:we|i|the\s+(?:team|group|board|committee|others)(?:\s+and\s+i)?|everyone|everybody|all\s+of\s+us)"
_HAVE = r"(?:\s*'ve|\s+have|\s+has|\s+had)?(?:\s+(?:now|just|finally|already|all|also|both|jointly|since)){0,2}"
DECISION: tuple[tuple[str, str], ...] = (
    ("decision: …", r"(?:final\s+|team\s+|our\s+|the\s+)?decision\s*:"),
    ("decided: …", r"(?:decided|agreed|settled|resolved)\s*(?::|\bto\b|\bthat\b|\bon\b)"),
    ("the decision is …", r"(?:the|our|my)\s+(?:final\s+)?decision\s+(?:is|was)\s+(?:to\b|that\b|[:,])"),
    (
        "we have decided …",
        rf"{_WHO}{_HAVE}\s+(?:decided|agreed|settled\s+on|resolved\s+to|opted|committed\s+to|chosen?|chose"
        r"|voted\s+(?:to|for)|concluded\s+that|picked|gone\s+with|went\s+with|standardi[sz]ed\s+on)\b"
        r"(?!\s+(?:what|which|whether|how|why|when|where|who|nothing|not\s+yet)\b)",
    ),
    ("we are going with …", rf"{_WHO}(?:'re|\s+are|'m|\s+am|\s+is)\s+going\s+with\b"),
    ("it was decided …", r"it\s+(?:was|is|has\s+been)\s+(?:decided|agreed|settled)\b(?!\s+(?:what|whether|how|why)\b)"),
)
"""How people state a decision. The text is kept as it was said."""

INGEST: tuple[tuple[str, str], ...] = (
    (
        "ingest ./docs",
        r"(?:ingest|index|import|read\s+in)\s+(?:(?:all\s+)?(?:the\s+|my\s+|these\s+)?(?:files?|folders?|docs|documents|directory)"
        r"\s+(?:in\s+|under\s+|from\s+|called\s+)?)?(?=\S*[./~\\])",
    ),
)
"""How people ask to have files read. What follows must look like paths."""

TOOL: tuple[tuple[str, str], ...] = (
    ("run the tool NAME …", r"(?:run|call|use|invoke)\s+(?:the\s+)?tool\s+[`'\"]?[\w.:-]+"),
    ("run the NAME tool …", r"(?:run|call|invoke)\s+(?:the\s+)?[`'\"]?[\w.:-]+[`'\"]?\s+tool\b"),
)
"""How people name a tool outright."""

_FURTHER_ASK = re.compile(
    r"[.!;\n]\s+(?:please\s+|so\s+|now\s+|then\s+|and\s+)*"
    r"(?:what|which|why|how|who|when|where|is\s+(?:it|that|there|this)|are\s+(?:we|there|they)|do\s+(?:we|i|you)|does\s|did\s|can\s|could\s|should\s+(?:we|i)\b"
    r"|design|explain|show|list|tell\s+me|give\s+me|summari[sz]e|help\s+me|draft|propose|suggest|generate)\b",
    re.IGNORECASE,
)
_PATH = re.compile(r"(?:\.{1,2}|~|/|[A-Za-z]:\\)?[\w.@+~-]*(?:[/\\][\w.@+~-]*)*\Z")
_POINTERS = frozenset({"that", "this", "it", "them", "these", "those", "me", "everything"})


def _any(table: tuple[tuple[str, str], ...], before: str) -> re.Pattern[str]:
    return re.compile(before + "(?:" + "|".join(f"(?:{pattern})" for _, pattern in table) + ")", re.IGNORECASE)


_REMEMBER = _any(REMEMBER, rf"\s*{_POLITE}(?P<asking>{_ASKING})?")
_DECISION = _any(DECISION, rf"\s*{_POLITE}{_WHEN}")
_INGEST = _any(INGEST, rf"\s*{_POLITE}(?:{_ASKING})?")
_TOOL = _any(TOOL, rf"\s*{_POLITE}(?:{_ASKING})?")


def route(text: str) -> Request:
    """Return what kind of request `text` is; never fails."""
    text = text.strip()
    return _remember(text) or _decision(text) or _ingest(text) or _tool(text) or _question(text)


def _question(text: str) -> Request:
    return Request(kind=RequestKind.QUESTION, text=text)


def _head(text: str) -> str:
    return text[:_HEAD_CHARS].replace("’", "'")


def _asks(text: str) -> bool:
    """Say whether a statement goes on to ask for something."""
    return text.rstrip("\"')”’ ").endswith("?") or _FURTHER_ASK.search(text, 0, _TAIL_CHARS) is not None


def _remember(text: str) -> Request | None:
    match = _REMEMBER.match(_head(text))
    if match is None:
        return None
    statement = text[match.end() :].strip().lstrip(",:").strip()
    if match["asking"]:
        statement = statement.removesuffix("?").rstrip()
    if not statement or statement.rstrip("?.! ").lower() in _POINTERS or _asks(statement):
        return None
    return Request(kind=RequestKind.REMEMBER, text=statement, tags=_tags(statement))


def _tags(statement: str) -> tuple[str, ...]:
    return (DECISION_TAG,) if _DECISION.match(_head(statement)) else ()


def _decision(text: str) -> Request | None:
    match = _DECISION.match(_head(text))
    if match is None or not text[match.end() :].strip(" .!:") or _asks(text):
        return None
    return Request(kind=RequestKind.DECISION, text=text, tags=(DECISION_TAG,))


def _ingest(text: str) -> Request | None:
    match = _INGEST.match(_head(text))
    if match is None or len(text) > _HEAD_CHARS:
        return None
    words = [word.strip("\"'`,") for word in text[match.end() :].rstrip(" .!").split()]
    paths = tuple(word for word in words if word not in {"and", ""})
    if not paths or not all(_PATH.match(path) for path in paths):
        return None
    if len(paths) > 1 and not all(_looks_like_a_path(path) for path in paths):
        return None
    return Request(kind=RequestKind.INGEST, text=text, paths=paths)


def _looks_like_a_path(word: str) -> bool:
    return any(sign in word for sign in "./\\~")


def _tool(text: str) -> Request | None:
    return Request(kind=RequestKind.TOOL, text=text) if _TOOL.match(_head(text)) else None
