"""Documents on the command line: read by their pages, found, and cited by page."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ourcli.cli.main import execute
from tests.memory.ingest.office import pdf, slides
from tests.promises import promise

pytestmark = pytest.mark.models
Run = Callable[..., str]


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs a command in this process and returns what it printed."""

    def call(*words: str) -> str:
        out = io.StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.StringIO())
            patch.setattr(sys, "stdout", out)
            assert execute(list(words)) == 0, out.getvalue()
        return out.getvalue()

    return call


@promise("memory.ingest.documents-end-to-end")
def test_a_page_of_a_pdf_is_found_and_cited(run: Run, folder: Path) -> None:
    (folder / "handbook.pdf").write_bytes(pdf("Deployments happen on Tuesdays.", "The cache lives for 15 minutes."))
    (folder / "talk.pptx").write_bytes(slides(("Backups", "Backups are made at night.", "")))
    (folder / "shut.pdf").write_bytes(pdf("secret", password="shut"))

    report = json.loads(run("ingest", ".", "--json"))
    found = json.loads(run("memory", "search", "how long does the cache live?", "--json"))["hits"][0]
    shown = run("memory", "search", "when are backups made?", "--top-k", "1")
    answer = run("ask", "how long does the cache live?")

    assert (report["files"], report["skipped"]) == (2, 1)
    assert (found["source"]["page"], found["source"]["lines"]) == (2, None)
    assert "talk.pptx page 1" in shown
    assert f"{folder.resolve() / 'handbook.pdf'} page 2" in answer
