"""Presentations (.pptx), a page a slide, with what the speaker noted below."""

import io
from collections.abc import Iterable, Iterator

import pptx
from pptx.shapes.base import BaseShape
from pptx.shapes.graphfrm import GraphicFrame
from pptx.shapes.group import GroupShape
from pptx.slide import Slide

from ourcli.memory.ingest.ports import Page


def pages(data: bytes) -> Iterator[Page]:
    """Yield the slides in order."""
    for number, slide in enumerate(pptx.Presentation(io.BytesIO(data)).slides, start=1):
        title = _title(slide)
        texts = [text for text in _texts(slide.shapes) if text != title]
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            texts.append(slide.notes_slide.notes_text_frame.text.strip())
        yield Page(text="\n\n".join(filter(None, texts)) or title, number=number, heading=title if any(texts) else "")


def _title(slide: Slide) -> str:
    shape = slide.shapes.title
    return " ".join(shape.text_frame.text.split()) if shape is not None else ""


def _texts(shapes: Iterable[BaseShape]) -> Iterator[str]:
    for shape in shapes:
        if isinstance(shape, GroupShape):
            yield from _texts(shape.shapes)
        elif isinstance(shape, GraphicFrame) and shape.has_table:
            yield "\n".join(" | ".join(cell.text.strip() for cell in row.cells) for row in shape.table.rows)
        elif shape.has_text_frame:
            yield str(getattr(shape, "text_frame").text).strip()  # noqa: B009  # shapes with a frame share no type
