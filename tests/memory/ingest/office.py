"""Small documents for tests, made by hand or by the libraries that read them."""

import io
import zlib
from collections.abc import Sequence
from typing import Any

import docx
import openpyxl
import pptx
import pypdf
from docx.oxml import OxmlElement


def pdf(*pages: str, password: str | None = None) -> bytes:
    """Return a PDF with a line of text a page; an empty page has none, as a scan has none."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for text in pages:
        drawn = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode("latin-1") if text else b""
        packed = zlib.compress(drawn)
        objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed))
        page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R" % len(objects)
        objects.append(page + b" /Resources << /Font << /F1 3 0 R >> >> >>")
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    made = _assembled(objects)
    return made if password is None else _encrypted(made, password)


def _assembled(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def _encrypted(made: bytes, password: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(made))
    writer.encrypt(password, algorithm="RC4-128")
    return _saved(writer.write)


def word(*blocks: tuple[str, str], break_before: str = "") -> bytes:
    """Return a .docx of (style, text) blocks; Word broke the page before the block with the text `break_before`."""
    document = docx.Document()
    for style, text in blocks:
        if style == "Table":
            row = document.add_table(rows=1, cols=2).rows[0]
            row.cells[0].text, row.cells[1].text = text.split("|")
            continue
        paragraph = document.add_paragraph(style=style)
        run = paragraph.add_run()
        if text == break_before:
            run._r.append(OxmlElement("w:lastRenderedPageBreak"))
        run.add_text(text)
    return _saved(document.save)


def slides(*texts: tuple[str, str, str]) -> bytes:
    """Return a .pptx with a title, a text and a note a slide."""
    deck = pptx.Presentation()
    for title, body, note in texts:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        shapes: Any = slide.shapes
        shapes.title.text = title
        shapes.placeholders[1].text = body
        frame = slide.notes_slide.notes_text_frame if note else None
        if frame is not None:
            frame.text = note
    return _saved(deck.save)


def sheets(**rows: Sequence[Sequence[object]]) -> bytes:
    """Return an .xlsx with these sheets."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, lines in rows.items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(list(line))
    return _saved(book.save)


def _saved(save: Any) -> bytes:
    out = io.BytesIO()
    save(out)
    return out.getvalue()
