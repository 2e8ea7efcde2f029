"""Word documents (.docx) as Markdown, divided where Word last broke the pages."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import docx
from docx.table import Table
from docx.text.paragraph import Paragraph

from ourcli.memory.ingest.ports import Page

_DEEPEST = 6


@dataclass(slots=True, kw_only=True)
class _Writer:
    """Collects lines, and begins a new page at every break.

    Attributes:
        titles: The headings that hold now, by level.
        above: The headings that held when the page began.
    """

    lines: list[str] = field(default_factory=list)
    done: list[tuple[str, str]] = field(default_factory=list)
    titles: dict[int, str] = field(default_factory=dict)
    above: str = ""

    def end_page(self) -> None:
        """Begin the next page."""
        self.done.append(("\n\n".join(self.lines), self.above))
        self.lines = []
        self.above = " > ".join(self.titles[level] for level in sorted(self.titles))

    def heading(self, level: int, text: str) -> None:
        """Write a heading; those of its level and below hold no more."""
        self.titles = {above: title for above, title in self.titles.items() if above < level} | {level: text}
        self.lines.append(f"{'#' * level} {text}")


def pages(data: bytes) -> Iterator[Page]:
    """Yield a document's pages; a document that Word never laid out is one page without a number.

    A page that begins in the middle of a section carries the headings above it.
    """
    writer = _Writer()
    for block in docx.Document(io.BytesIO(data)).iter_inner_content():
        if isinstance(block, Table):
            writer.lines.append("\n".join(_rows(block)))
        else:
            _write(writer, block)
    writer.end_page()
    numbered = len(writer.done) > 1
    for number, (text, above) in enumerate(writer.done, start=1):
        yield Page(text=text, number=number if numbered else None, heading=above, markdown=True)


def _write(writer: _Writer, paragraph: Paragraph) -> None:
    """Write a paragraph on the page on which it begins; it ends that page where it goes on to the next."""
    text = paragraph.text.strip()
    breaks = len(paragraph.rendered_page_breaks)
    if breaks and paragraph.rendered_page_breaks[0].preceding_paragraph_fragment is None:
        writer.end_page()
        breaks -= 1
    level = _level(paragraph)
    if text and level:
        writer.heading(level, " ".join(text.split()))
    elif text:
        writer.lines.append(text)
    for _ in range(breaks):
        writer.end_page()


def _level(paragraph: Paragraph) -> int:
    """Return the level of a heading, 0 for any other paragraph."""
    name = (paragraph.style.name or "") if paragraph.style else ""
    if name == "Title":
        return 1
    kind, _, number = name.partition(" ")
    return min(int(number), _DEEPEST) if kind == "Heading" and number.isdecimal() else 0


def _rows(table: Table) -> Iterator[str]:
    for row in table.rows:
        cells = [" ".join(cell.text.split()) for cell in row.cells]
        if any(cells):
            yield " | ".join(cells)
