"""Workbooks (.xlsx), a page a sheet, a line a row."""

import io
from collections.abc import Iterator
from datetime import date, datetime, time

import openpyxl

from ourcli.common.errors import InvalidInputError
from ourcli.memory.ingest.ports import Page

_MOST_CHARS = 4_000_000
"""More cells of one sheet are data, not something to be read."""


def pages(data: bytes) -> Iterator[Page]:
    """Yield the sheets in order: their values, as they were when the workbook was saved."""
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    try:
        for number, sheet in enumerate(book.worksheets, start=1):
            lines = _lines(sheet.iter_rows(values_only=True))
            yield Page(text="\n".join(lines), number=number, heading=str(sheet.title))
    finally:
        book.close()


def _lines(rows: Iterator[tuple[object, ...]]) -> list[str]:
    found: list[str] = []
    chars = 0
    for row in rows:
        line = " | ".join(_cell(value) for value in row).strip(" |")
        if line:
            found.append(line)
            chars += len(line)
        if chars > _MOST_CHARS:
            raise InvalidInputError(f"is too long: a sheet with more than {_MOST_CHARS:,} characters")
    return found


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, date | time):
        return value.isoformat()
    return " ".join(str(value).split())
