"""The titles above each place of a Markdown text (CommonMark 0.31, sections 4.2, 4.3 and 4.5)."""

import re
from bisect import bisect_right
from dataclasses import dataclass

MOST_CHARS = 120
"""Titles above a piece say where it stands; they must not crowd it out."""

_ATX = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^\n]*)")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*")
_NO_PARAGRAPH = re.compile(r"\s*$| {4}|\t| {0,3}(?:[-*+>|#]|\d+[.)]|```|~~~)")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A title: where its first line begins, its level from 1, its words."""

    offset: int
    level: int
    title: str


def headings(text: str) -> list[Heading]:
    """Return the titles of a Markdown text in order; code blocks hold none."""
    found: list[Heading] = []
    fence = ""
    offset = before = 0
    previous = ""
    for number, raw in enumerate(text.split("\n")):
        line = raw.rstrip("\r")
        if fence or (number == 0 and line == "---"):
            fence = "" if _closes(fence or line, line, first=number == 0) else fence or line
        elif opened := _opens(line):
            fence = opened
        elif heading := _atx(line, offset) or _setext(previous, line, before):
            found.append(heading)
            line = ""
        before, previous, offset = offset, "" if fence else line, offset + len(raw) + 1
    return found


def _opens(line: str) -> str:
    match = _FENCE.fullmatch(line)
    return match[1] if match and not (match[1][0] == "`" and "`" in match[2]) else ""


def _closes(fence: str, line: str, *, first: bool) -> bool:
    if fence == "---":  # metadata in front of the text
        return not first and line in {"---", "..."}
    bare = line.strip()
    return len(bare) >= len(fence) and not bare.strip(fence[0])


def _atx(line: str, offset: int) -> Heading | None:
    match = _ATX.match(line)
    if match is None:
        return None
    title = line[match.end() :].strip()
    bare = title.rstrip("#")
    return Heading(offset=offset, level=len(match[1]), title=_words(title if bare[-1:].strip() else bare))


def _setext(previous: str, line: str, offset: int) -> Heading | None:
    match = _UNDERLINE.fullmatch(line)
    if match is None or _NO_PARAGRAPH.match(previous):
        return None
    return Heading(offset=offset, level=1 if match[1][0] == "=" else 2, title=_words(previous))


def _words(title: str) -> str:
    return " ".join(_LINK.sub(r"\1", title[: 4 * MOST_CHARS]).replace("`", "").replace("**", "").split())


class HeadingPaths:
    """Knows the titles above each offset of a text."""

    def __init__(self, found: list[Heading]) -> None:
        self._offsets = [heading.offset for heading in found]
        self._paths: list[tuple[Heading, ...]] = []
        path: tuple[Heading, ...] = ()
        for heading in found:
            path = (*(parent for parent in path if parent.level < heading.level), heading)
            self._paths.append(path)

    def above(self, offset: int) -> str:
        """Return the titles above the piece that begins at `offset`, without the title that it begins with itself."""
        index = bisect_right(self._offsets, offset) - 1
        if index < 0:
            return ""
        path = self._paths[index]
        titles = [heading.title for heading in path if heading.title and heading.offset != offset]
        while len(titles) > 1 and len(" > ".join(titles)) > MOST_CHARS:
            titles.pop(0)
        return " > ".join(titles)[:MOST_CHARS].rstrip()


def is_only_headings(piece: str) -> bool:
    """Say whether a piece is nothing but titles, which belong to what follows them."""
    return all(not line.strip() or _ATX.match(line) for line in piece.split("\n"))
