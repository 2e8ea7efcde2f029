"""PDF and office documents as pages of text. The extra `docs` brings the libraries.

A document comes from anywhere: whatever a reader raises about one means that it is broken, and is told as that.
"""

import io
import logging
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ourcli.common.errors import InvalidInputError, OurcliError
from ourcli.config.flags import require_extra
from ourcli.memory.ingest.formats import Format, format_of
from ourcli.memory.ingest.ports import Page

if TYPE_CHECKING:
    import pypdf

MOST_PAGES = 5_000
MOST_CHARS = 8_000_000
MOST_UNPACKED_BYTES = 512 * 1024 * 1024
"""An office document is a ZIP: a small one can unpack to anything."""

_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
"""How Microsoft's compound files begin: old .doc, .xls, .ppt, and new documents with a password."""
_NO_TEXT = "has no text in it: it may be scanned, and pictures are not read"
_ENCRYPTED = "is encrypted: save it without a password to have it read"

_READERS: Mapping[Format, str] = {
    Format.DOCX: "office_word",
    Format.PPTX: "office_slides",
    Format.XLSX: "office_sheets",
}


class DocumentConverter:
    """Reads documents with pypdf, python-docx, python-pptx and openpyxl (`DocumentReader`)."""

    def __init__(self, require: Callable[[str], None] = require_extra) -> None:
        self._require = require
        logging.getLogger("pypdf").addHandler(logging.NullHandler())  # its remarks are not for the terminal

    def pages(self, path: Path, data: bytes) -> list[Page]:
        """Return the pages that have text, in order.

        Raises:
            MissingExtraError: The extra `docs` is not installed.
            InvalidInputError: It is encrypted, broken, too large or has no text; the message says which.
        """
        self._require("docs")
        try:
            found = _kept(_pdf(data) if format_of(path) is Format.PDF else _office(format_of(path), data))
        except OurcliError:
            raise
        except Exception as exc:  # the trust boundary: a stranger's file, foreign code
            raise InvalidInputError(f"is broken and cannot be read ({type(exc).__name__}: {exc})"[:300]) from exc
        if not found:
            raise InvalidInputError(_NO_TEXT)
        return found


def _kept(pages: Iterator[Page]) -> list[Page]:
    """Return the pages with text; stop at what is too much."""
    found: list[Page] = []
    chars = 0
    for count, page in enumerate(pages, start=1):
        chars += len(page.text)
        if count > MOST_PAGES or chars > MOST_CHARS:
            raise InvalidInputError(f"is too long: more than {MOST_PAGES:,} pages or {MOST_CHARS:,} characters")
        if page.text.strip():
            found.append(page)
    return found


def _pdf(data: bytes) -> Iterator[Page]:
    import pypdf  # deferred: only PDF files need it, and the extra may be missing
    from pypdf.errors import DependencyError, FileNotDecryptedError

    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise InvalidInputError(_ENCRYPTED)
        for number, page in enumerate(reader.pages, start=1):
            yield Page(text=_page_text(page), number=number)
    except (DependencyError, FileNotDecryptedError) as exc:
        raise InvalidInputError(_ENCRYPTED) from exc


def _page_text(page: "pypdf.PageObject") -> str:
    return page.extract_text().replace("\0", "").encode("utf-8", "replace").decode()


def _office(form: Format, data: bytes) -> Iterator[Page]:
    if data.startswith(_OLD_OFFICE):
        raise InvalidInputError(f"{_ENCRYPTED.partition(':')[0]}, or of the old binary kind: save it anew as .{form}")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(part.file_size for part in archive.infolist()) > MOST_UNPACKED_BYTES:
            raise InvalidInputError(f"unpacks to more than {MOST_UNPACKED_BYTES // 1024**2} MB")
    read = import_module(f"ourcli.memory.backends.{_READERS[form]}").pages
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks about styles and the like
        yield from read(data)
