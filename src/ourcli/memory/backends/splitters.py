"""Texts cut along their structure: Markdown, HTML, source code by its syntax, plain text."""

import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from semantic_text_splitter import CodeSplitter, MarkdownSplitter, TextSplitter

from ourcli.memory.ingest.formats import Format, format_of, kind, language
from ourcli.memory.ingest.headings import HeadingPaths, headings, is_only_headings
from ourcli.memory.ingest.html import readable
from ourcli.memory.ingest.ports import Chunk
from ourcli.memory.ingest.spans import LineIndex, Span, merged, segments, trimmed

PROSE_CHARS = (400, 800)
CODE_CHARS = (300, 700)
"""A piece is full within this range. The embedder reads 256 word pieces. Measured with its own tokenizer: at 400 to 800
characters 5 % of the pieces of dense technical Markdown are longer (at 500 to 1,000: 19 %), at 300 to 700 at most
1.3 % of Python and C. What is cut off is still found by its words."""

FRAGMENT_CHARS = 120
"""A shorter piece (a lone title, a closing brace) says too little: it joins its neighbour, which may get this much
longer than the range says."""

SEGMENT_CHARS = 16_000
"""The splitters need more than twice the time for twice the text; they get a text in parts of this size."""

MOST_DEPTH = 100
MOST_LINE_CHARS = 2_000
"""Source code nested deeper (3 s for 2,000 brackets) or in longer lines is not written by hand: it is cut as text."""

_BRACKET = re.compile(r"[(\[{}\])]|\b(?:elif|else\s+if)\b")
_GRAMMARS = {"tsx": ("typescript", "language_tsx"), "typescript": ("typescript", "language_typescript")} | {
    "php": ("php", "language_php")
}


class _Splitter(Protocol):
    def chunk_indices(self, text: str) -> list[tuple[int, str]]: ...


class SemanticChunker:
    """Cuts a file's text with the splitter of its format (`Chunker`)."""

    def __init__(self) -> None:
        self._markdown: _Splitter = MarkdownSplitter(PROSE_CHARS)
        self._text: _Splitter = TextSplitter(PROSE_CHARS)
        self._code: dict[str, _Splitter] = {}

    def kind(self, path: Path) -> str:
        """Return `code` for source code, `document` for the rest."""
        return kind(path)

    def chunks(self, path: Path, text: str) -> list[Chunk]:
        """Return the pieces of `text` in order; none when it holds only white space."""
        match format_of(path):
            case Format.HTML:
                page = readable(text)
                return self._prose(page.text, lambda span: (page.line(span[0]), page.line(span[1] - 1)))
            case Format.MARKDOWN:
                return self._prose(text, LineIndex(text).lines)
            case Format.CODE:
                name = language(path) or ""
                spans = _joined(text, self._code_pieces(name, text), CODE_CHARS[1])
            case _:
                spans = _joined(text, _pieces(text, lambda _: self._text), PROSE_CHARS[1])
        lines = LineIndex(text).lines
        return [Chunk(text=text[start:end], lines=lines((start, end))) for start, end in spans]

    def _prose(self, text: str, lines: Callable[[Span], tuple[int, int]]) -> list[Chunk]:
        paths = HeadingPaths(headings(text))
        spans = _joined(text, _pieces(text, lambda _: self._markdown), PROSE_CHARS[1])
        chunks: list[Chunk] = []
        for span in spans:
            heading, piece = paths.above(span[0]), text[span[0] : span[1]]
            chunks.append(Chunk(text=f"{heading}\n\n{piece}" if heading else piece, lines=lines(span), heading=heading))
        return chunks

    def _code_pieces(self, name: str, text: str) -> Iterator[Span]:
        splitter = self._code.get(name)
        if splitter is None:
            module, function = _GRAMMARS.get(name, (name, "language"))
            grammar = getattr(importlib.import_module(f"tree_sitter_{module}"), function)()
            splitter = self._code[name] = CodeSplitter(grammar, CODE_CHARS)
        return _pieces(text, lambda segment: splitter if _is_handwritten(segment) else self._text)


def _pieces(text: str, splitter_of: Callable[[str], _Splitter]) -> Iterator[Span]:
    for start, end in segments(text, SEGMENT_CHARS):
        segment = text[start:end]
        for offset, piece in splitter_of(segment).chunk_indices(segment):
            span = trimmed(text, (start + offset, start + offset + len(piece)))
            if span:
                yield span


def _joined(text: str, spans: Iterator[Span], full: int) -> list[Span]:
    return merged(text, spans, is_only_headings, least=FRAGMENT_CHARS, most=full + FRAGMENT_CHARS)


def _is_handwritten(code: str) -> bool:
    depth = branches = 0
    for match in _BRACKET.finditer(code):
        if match[0] in "([{":
            depth += 1
        elif match[0] in ")]}":
            depth -= 1
        else:
            branches += 1
        if depth > MOST_DEPTH or branches > MOST_DEPTH:
            return False
    return max(map(len, code.split("\n"))) <= MOST_LINE_CHARS
