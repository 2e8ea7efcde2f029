"""Where sentences begin and end in prose, Markdown and code: enough for quoting and cutting, in linear time."""

import re

_BREAK = re.compile(
    r"(?<![.!?…])[.!?…]+[\"'”’)\]*_`]{0,6}\s+"  # the end of a sentence, with closing quotes or marks
    r"|\n[ \t]*\n\s*"  # a blank line
    r"|\n(?=[ \t]*(?:[-*+>#|]|\d+[.)]\s|```))"  # a list item, heading, quote, table row or fence follows
)
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|Dr|Mr|Mrs|Ms|St|approx|No|Fig)|^\s*\d+|\b[A-Z])\.\s+\Z", re.M)
_SHORT_LINE = 60
"""A line shorter than this was ended on purpose, not wrapped."""


def spans(text: str) -> list[tuple[int, int]]:
    """Return `(start, end)` of every sentence or line, in order, without surrounding blanks."""
    found: list[tuple[int, int]] = []
    start = 0
    for match in _BREAK.finditer(text):
        if _ABBREVIATION.search(text, max(start, match.end() - 12), match.end()):
            continue
        found.extend(_lines(text, start, match.end()))
        start = match.end()
    found.extend(_lines(text, start, len(text)))
    return found


def _lines(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Split a piece at lines that are too short to be wrapped prose, and strip what is left."""
    pieces: list[tuple[int, int]] = []
    begin = start
    for position, line in _positions(text, start, end):
        if len(line) < _SHORT_LINE and position < end:
            pieces.append((begin, position))
            begin = position
    pieces.append((begin, end))
    return [stripped for a, b in pieces if (stripped := _strip(text, a, b))[0] < stripped[1]]


def _positions(text: str, start: int, end: int) -> list[tuple[int, str]]:
    positions, offset = [], start
    for line in text[start:end].splitlines(keepends=True):
        offset += len(line)
        positions.append((offset, line))
    return positions


def _strip(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip("\n")), end - (len(piece) - len(piece.rstrip()))


def cut(text: str, most: int) -> str:
    """Return the beginning of `text`, at most `most` characters and `…`, ending with a sentence if one ends there."""
    if len(text) <= most:
        return text
    head = text[:most]
    ends = [end for _, end in spans(head)[:-1] if end >= most // 3]
    if ends:
        return f"{head[: ends[-1]]} …"
    space = head.rfind(" ")
    return f"{head[:space] if space > most // 2 else head} …"
