"""PDF and office documents: pages of text, and what is told of those that cannot be read."""

import io
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ourcli.common.clock import SystemClock
from ourcli.common.errors import InvalidInputError, MissingExtraError
from ourcli.common.events import NullSink
from ourcli.config.flags import has_extra, require_extra
from ourcli.memory.backends import documents
from ourcli.memory.backends.documents import DocumentConverter
from ourcli.memory.backends.splitters import SemanticChunker
from ourcli.memory.ingest.ingestor import Ingestor
from ourcli.memory.ingest.ports import DocumentReader, Page
from ourcli.memory.ingest.report import Selection
from ourcli.testing.files import LineChunker, MemoryShelf, MemoryTree, ScriptedDocuments
from tests.promises import promise

if has_extra("docs"):
    from tests.memory.ingest import office
else:
    pytest.skip('pip install "ourcli[docs]"', allow_module_level=True)

ROOT = Path("/notes").absolute()
OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def bomb() -> bytes:
    """Return a ZIP that unpacks to more than it may."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(1_000_000))
    return out.getvalue()


@promise("memory.ingest.documents-told")
@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.pdf", lambda: b"not a PDF at all", "is broken and cannot be read"),
        ("a.pdf", lambda: office.pdf("words")[:120], "is broken and cannot be read"),
        ("a.pdf", lambda: office.pdf("words", password="shut"), "is encrypted"),
        ("a.pdf", lambda: office.pdf("", ""), "has no text in it: it may be scanned"),
        ("a.pdf", office.pdf, "has no text in it"),
        ("a.docx", lambda: b"PK\x03\x04 broken", "is broken and cannot be read"),
        ("a.docx", lambda: OLD_OFFICE, "is encrypted, or of the old binary kind: save it anew as .docx"),
        ("a.docx", lambda: office.sheets(one=[["x"]]), "is broken and cannot be read"),
        ("a.docx", lambda: office.word(("Normal", " ")), "has no text in it"),
        ("a.pptx", lambda: OLD_OFFICE, "save it anew as .pptx"),
        ("a.xlsx", lambda: b"", "is broken and cannot be read"),
        ("a.xlsx", lambda: office.sheets(empty=[]), "has no text in it"),
    ],
)
def test_what_cannot_be_read_is_told_with_the_reason(name: str, data: Callable[[], bytes], reason: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        DocumentConverter().pages(Path(name), data())

    assert reason in caught.value.message


@promise("memory.ingest.documents-told")
def test_a_document_that_unpacks_to_too_much_or_is_too_long_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_UNPACKED_BYTES", 900_000)
    monkeypatch.setattr(documents, "MOST_PAGES", 2)

    with pytest.raises(InvalidInputError, match="unpacks to more than"):
        DocumentConverter().pages(Path("a.docx"), bomb())
    with pytest.raises(InvalidInputError, match="is too long"):
        DocumentConverter().pages(Path("a.pdf"), office.pdf("one", "two", "three"))


@pytest.fixture(params=["real", "fake"])
def without_the_extra(request: pytest.FixtureRequest) -> DocumentReader:
    fake = ScriptedDocuments()
    fake.missing = True
    return fake if request.param == "fake" else DocumentConverter(lambda name: require_extra(name, lambda _: False))


@promise("memory.ingest.documents-extra")
def test_without_the_extra_the_line_that_installs_it_is_told(without_the_extra: DocumentReader) -> None:
    with pytest.raises(MissingExtraError) as caught:
        without_the_extra.pages(Path("a.pdf"), office.pdf("words"))

    assert 'pip install "ourcli[docs]"' in caught.value.hint


@pytest.fixture(params=["real", "fake"])
def reader(request: pytest.FixtureRequest) -> DocumentReader:
    made = office.pdf("The cache lives 15 minutes", "", "Logs are kept for 30 days")
    pages = [Page(text="The cache lives 15 minutes", number=1), Page(text="Logs are kept for 30 days", number=3)]
    return DocumentConverter() if request.param == "real" else ScriptedDocuments({made: pages})


@promise("memory.ingest.documents")
def test_a_pdf_is_read_page_by_page(reader: DocumentReader) -> None:
    pages = reader.pages(Path("a.pdf"), office.pdf("The cache lives 15 minutes", "", "Logs are kept for 30 days"))

    assert [(page.number, page.text.strip()) for page in pages] == [
        (1, "The cache lives 15 minutes"),
        (3, "Logs are kept for 30 days"),
    ]


@promise("memory.ingest.documents")
def test_a_pdf_that_only_forbids_changes_is_read() -> None:
    (page,) = DocumentConverter().pages(Path("a.pdf"), office.pdf("words", password=""))

    assert page.text.strip() == "words"


@promise("memory.ingest.documents")
def test_a_word_document_keeps_headings_tables_and_the_pages_of_word() -> None:
    made = office.word(
        ("Title", "Handbook"),
        ("Heading 1", "Cache"),
        ("Normal", "It lives 15 minutes."),
        ("Table", "key|value"),
        ("Normal", "Over the page."),
        break_before="Over the page.",
    )

    first, second = DocumentConverter().pages(Path("a.docx"), made)

    assert first == Page(text="# Handbook\n\n# Cache\n\nIt lives 15 minutes.\n\nkey | value", number=1, markdown=True)
    assert second == Page(text="Over the page.", number=2, heading="Cache", markdown=True)


@promise("memory.ingest.documents")
def test_a_word_document_that_was_never_laid_out_has_no_page_numbers() -> None:
    (page,) = DocumentConverter().pages(Path("a.docx"), office.word(("Normal", "words")))

    assert (page.number, page.text) == (None, "words")


@promise("memory.ingest.documents")
def test_slides_come_with_title_text_and_notes() -> None:
    made = office.slides(("Plan", "Cache first", "Mention the TTL"), ("Only a title", "", ""))

    first, second = DocumentConverter().pages(Path("a.pptx"), made)

    assert first == Page(text="Cache first\n\nMention the TTL", number=1, heading="Plan")
    assert second == Page(text="Only a title", number=2)


@promise("memory.ingest.documents")
def test_sheets_become_a_line_a_row() -> None:
    made = office.sheets(limits=[["what", "minutes"], ["cache TTL", 15], [None, None], ["since", date(2026, 1, 2)]])

    (page,) = DocumentConverter().pages(Path("a.xlsx"), made)

    assert page == Page(text="what | minutes\ncache TTL | 15\nsince | 2026-01-02 00:00", number=1, heading="limits")


@promise("memory.ingest.documents")
@pytest.mark.anyio
async def test_pieces_of_a_document_know_their_page_and_the_titles_above() -> None:
    tree = MemoryTree(
        {
            ROOT / "a.pdf": office.pdf("The cache lives 15 minutes", "Logs are kept for 30 days"),
            ROOT / "b.docx": office.word(
                ("Heading 1", "Cache"), ("Normal", "one"), ("Normal", "two"), break_before="two"
            ),
            ROOT / "c.pdf": b"broken",
        }
    )
    shelf = MemoryShelf()
    ingestor = Ingestor(
        shelf, tree, SemanticChunker(), documents=DocumentConverter(), clock=SystemClock(), sink=NullSink()
    )

    report = await ingestor.ingest(Selection(paths=(ROOT,), project="p"))

    pdf, docx = shelf.files["p", str(ROOT / "a.pdf")], shelf.files["p", str(ROOT / "b.docx")]
    assert [(one.page, one.lines, one.text) for one in pdf.chunks] == [
        (1, None, "The cache lives 15 minutes"),
        (2, None, "Logs are kept for 30 days"),
    ]
    assert [(one.page, one.text) for one in docx.chunks] == [(1, "# Cache\n\none"), (2, "Cache\n\ntwo")]
    assert (report.files, report.skipped) == (2, 1)
    assert report.problems[0].startswith(f"{ROOT / 'c.pdf'}: is broken")


@promise("memory.ingest.documents-extra")
@pytest.mark.anyio
async def test_a_document_that_was_read_before_stays_when_the_extra_is_gone() -> None:
    tree, shelf, reader = MemoryTree({ROOT / "a.pdf": b"one"}), MemoryShelf(), ScriptedDocuments()
    reader.contents = {b"one": [Page(text="words", number=1)]}
    ingestor = Ingestor(shelf, tree, LineChunker(), documents=reader, clock=SystemClock(), sink=NullSink())
    await ingestor.ingest(Selection(paths=(ROOT,), project="p"))
    tree.contents[ROOT / "a.pdf"] = b"two"
    reader.missing = True

    report = await ingestor.ingest(Selection(paths=(ROOT,), project="p"))

    assert (report.files, report.removed) == (0, 0)
    assert report.problems == (
        f"{ROOT / 'a.pdf'}: is left out: the extra 'docs' is not installed; pip install \"ourcli[docs]\"",
    )
    assert ("p", str(ROOT / "a.pdf")) in shelf.files
