"""Pieces of a text as offsets: trimmed, merged, and as lines of the file."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

Span = tuple[int, int]
"""Offsets of characters, the first included, the last not."""


class LineIndex:
    """Finds the line of an offset. Only a line feed ends a line, as in editors and compilers."""

    def __init__(self, text: str) -> None:
        self._starts = [0]
        at = text.find("\n")
        while at >= 0:
            self._starts.append(at + 1)
            at = text.find("\n", at + 1)

    def line(self, offset: int) -> int:
        """Return the line, counted from 1, of the character at `offset`."""
        return bisect_right(self._starts, offset)

    def lines(self, span: Span) -> tuple[int, int]:
        """Return the first and last line of a span that is not empty."""
        return self.line(span[0]), self.line(span[1] - 1)


def trimmed(text: str, span: Span) -> Span | None:
    """Drop empty lines in front (the first line keeps its indentation) and white space behind; None: nothing left."""
    piece = text[span[0] : span[1]]
    end = span[0] + len(piece.rstrip())
    first = span[1] - len(piece.lstrip())
    if first >= end:
        return None
    line_start = text.rfind("\n", span[0], first) + 1
    return max(line_start, span[0]), end


def segments(text: str, most: int) -> Iterator[Span]:
    """Yield the text in parts of at most `most` characters, cut where something new begins at the margin.

    Splitters slow down faster than their input grows; parts keep them linear. The best place that the
    second half of a part offers is taken: an empty line before a line without indentation, an empty line, a line's end.
    """
    start = 0
    while len(text) - start > most:
        cut = _cut(text, start + most // 2, start + most)
        yield start, cut
        start = cut
    if start < len(text):
        yield start, len(text)


def _cut(text: str, low: int, high: int) -> int:
    blank = high
    best = 0
    while (blank := text.rfind("\n\n", low, blank)) >= 0:
        best = best or blank + 2
        if blank + 2 < len(text) and not text[blank + 2].isspace():
            return blank + 2
    return best or text.rfind("\n", low, high) + 1 or high


def merged(text: str, spans: Iterable[Span], joins: Callable[[str], bool], *, least: int, most: int) -> list[Span]:
    """Join fragments with their neighbours.

    Args:
        text: The whole text.
        spans: Its pieces in order.
        joins: Whether a piece belongs to the one behind it, not to the one before.
        least: A shorter piece is a fragment.
        most: No joined piece gets longer.
    """
    result: list[Span] = []
    for span in spans:
        if result and span[1] - result[-1][0] <= most:
            start, end = result[-1]
            fragment = span[1] - span[0] < least and not joins(text[slice(*span)])
            if fragment or end - start < least or joins(text[start:end]):
                result[-1] = (start, span[1])
                continue
        result.append(span)
    return result
