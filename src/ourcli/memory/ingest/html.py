"""HTML as readable text that still knows its lines.

Pages become plain Markdown (titles, list items, code blocks), so that they are cut as Markdown is.
The scanner is linear in the page's length, whatever is in it; the standard library's parser is not.
"""

import html
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

_DROPPED = frozenset(
    {"script", "style", "template", "noscript", "svg", "math", "iframe", "object", "canvas", "nav", "select"}
)
_LINES = frozenset({"br", "li", "tr", "dt"})
_CELLS = frozenset({"td", "th"})
_BLOCKS = frozenset(
    {
        *("address", "article", "aside", "body", "footer", "header", "main", "section", "center", "dialog", "form"),
        *("blockquote", "p", "div", "hr", "dl", "dd", "ol", "ul", "menu", "details", "summary", "fieldset"),
        *("figure", "figcaption", "table", "caption", "thead", "tbody", "tfoot"),
    }
)
_HEADINGS = {"title": 1} | {f"h{level}": level for level in range(1, 7)}
_RAW = frozenset({"script", "style", "textarea", "title"})
_TAG_NAME = re.compile(r"/?([A-Za-z][A-Za-z0-9:-]*)")
_WORD = re.compile(r"\S+")
_MOST_TAG_CHARS = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """A page's text, and where each of its words stands in the source.

    Attributes:
        text: Markdown.
        offsets: Where words begin in `text`, ascending.
        lines: The source line of each of these words, counted from 1.
    """

    text: str
    offsets: tuple[int, ...]
    lines: tuple[int, ...]

    def line(self, offset: int) -> int:
        """Return the source line of the character at `offset` of the text."""
        return self.lines[max(0, bisect_right(self.offsets, offset) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """A tag (`name` in lower case, `closing` or not) or, with an empty name, a run of text."""

    start: int
    end: int
    name: str = ""
    closing: bool = False


def readable(page: str) -> Readable:
    """Return the text that a reader of the page sees: no scripts, styles, comments or navigation."""
    writer = _Writer(page)
    hidden, depth = "", 0
    for token in _tokens(page):
        if hidden:
            depth += (1, -1)[token.closing] * (token.name == hidden)
            hidden = hidden if depth else ""
        elif token.name in _DROPPED and not token.closing:
            hidden, depth = token.name, 1
        elif token.name:
            writer.tag(token)
        else:
            writer.words(token)
    return writer.result()


def _tokens(page: str) -> Iterator[_Token]:
    position = 0
    while position < len(page):
        start = page.find("<", position)
        start = len(page) if start < 0 else start
        if start > position:
            yield _Token(start=position, end=start)
        if start == len(page):
            return
        position, name, closing = _markup(page, start)
        yield _Token(start=start, end=position, name=name, closing=closing)
        if name in _RAW and not closing:
            end = _raw_end(page, position, name)
            yield _Token(start=position, end=end)
            position = end


def _markup(page: str, start: int) -> tuple[int, str, bool]:
    """Return the end of what begins with `<`, and the tag's name ("" when it is a comment or plain text)."""
    match = _TAG_NAME.match(page, start + 1)
    if match:
        end = _tag_end(page, match.end())
        return end, match[1].lower() if end > match.end() else "", page[start + 1] == "/"
    if page.startswith("<!--", start):
        end = page.find("-->", start + 4)
        return (end + 3 if end >= 0 else len(page)), "!", False
    if page[start + 1 : start + 2] in {"!", "?"}:
        return _tag_end(page, start + 1), "!", False
    return start + 1, "", False


def _tag_end(page: str, position: int) -> int:
    """Return where a tag ends: behind the first `>` outside of quotes, or `position` when it never does."""
    limit = min(len(page), position + _MOST_TAG_CHARS)
    at = position
    while (close := page.find(">", at, limit)) >= 0:
        quotes = [found for mark in "\"'" if (found := page.find("=" + mark, at, close)) >= 0]
        if not quotes:
            return close + 1
        opened = min(quotes) + 1
        closed = page.find(page[opened], opened + 1, limit)
        if closed < 0:
            return close + 1
        at = closed + 1
    return position


def _raw_end(page: str, position: int, name: str) -> int:
    match = re.compile(f"</{name}", re.IGNORECASE).search(page, position)
    return match.start() if match else len(page)


class _Writer:
    """Writes words and block marks, and notes where each came from."""

    def __init__(self, page: str) -> None:
        self._page = page
        self._counted_to, self._line = 0, 1
        self._parts: list[str] = []
        self._length = 0
        self._offsets: list[int] = []
        self._lines: list[int] = []
        self._gap = ""
        self._preformatted = 0

    def tag(self, token: _Token) -> None:
        """Begin or end what the tag says: a title, a list item, a code block, a paragraph."""
        if level := _HEADINGS.get(token.name, 0):
            self._gap = "\n\n"
            if not token.closing:
                self._write("#" * level, token.start)
                self._gap = " "
        elif token.name == "pre":
            self._fence(token)
        elif token.name == "li" and not token.closing:
            self._widen("\n")
            self._write("-", token.start)
            self._gap = " "
        elif token.name in _LINES or token.name in _CELLS:
            self._widen("\n" if token.name in _LINES else " ")
        elif token.name in _BLOCKS and self._last_mark() not in {"-", "#"}:
            self._widen("\n\n")

    def words(self, token: _Token) -> None:
        """Write a run of text: word by word, or line by line inside of `<pre>`."""
        if self._preformatted:
            self._verbatim(token)
            return
        for match in _WORD.finditer(self._page, token.start, token.end):
            if match.start() > token.start:
                self._widen(" ")
            self._write(html.unescape(match[0]).replace("\xa0", " "), match.start())
        if token.end > token.start and self._page[token.end - 1].isspace():
            self._widen(" ")

    def result(self) -> Readable:
        """Return what was written."""
        return Readable(text="".join(self._parts), offsets=tuple(self._offsets), lines=tuple(self._lines))

    def _fence(self, token: _Token) -> None:
        self._gap = "\n\n" if not token.closing and not self._preformatted else "\n"
        self._preformatted = max(0, self._preformatted + (-1 if token.closing else 1))
        self._write("```", token.start)
        self._gap = "\n\n" if token.closing else "\n"

    def _verbatim(self, token: _Token) -> None:
        start = token.start
        for number, line in enumerate(self._page[token.start : token.end].split("\n")):
            self._gap += "\n" if number and not self._gap.endswith("\n") else ""
            if line.strip():
                self._write(html.unescape(line.rstrip("\r")), start)
            start += len(line) + 1

    def _last_mark(self) -> str:
        return self._parts[-1][:1] if self._gap == " " and self._parts else ""

    def _widen(self, gap: str) -> None:
        self._gap = max(self._gap, gap, key=lambda each: (each.count("\n"), len(each)))

    def _write(self, piece: str, at: int) -> None:
        if self._parts and self._gap:
            self._parts.append(self._gap)
            self._length += len(self._gap)
        self._gap = ""
        self._line += self._page.count("\n", self._counted_to, at)
        self._counted_to = at
        self._offsets.append(self._length)
        self._lines.append(self._line)
        self._parts.append(piece)
        self._length += len(piece)
