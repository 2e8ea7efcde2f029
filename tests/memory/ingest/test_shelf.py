"""What ingestion asks of a shelf, on the fake and on the real store."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ourcli.common.clock import SystemClock
from ourcli.common.events import NullSink
from ourcli.memory.backends.journaled_store import JournaledStore, open_journaled
from ourcli.memory.backends.splitters import SemanticChunker
from ourcli.memory.backends.walker import DiskTree
from ourcli.memory.ingest.ingestor import Ingestor
from ourcli.memory.ingest.ports import AssetShelf, Chunk, ShelvedFile
from ourcli.memory.ingest.report import Selection
from ourcli.memory.record import DIMS
from ourcli.memory.service import MemoryService
from ourcli.memory.shelf import Shelf
from ourcli.memory.vectors import Matrix, Vector
from ourcli.testing.files import WRITTEN, MemoryShelf, ScriptedDocuments
from tests.promises import promise

pytestmark = pytest.mark.anyio


class _LengthEmbedder:
    """An embedder for tests that do not search: the direction is the text's length."""

    digest = "length"

    async def embed_query(self, text: str) -> Vector:
        vector: Vector = (await self.embed_passages([text]))[0]
        return vector

    async def embed_passages(self, texts: Sequence[str]) -> Matrix:
        matrix = np.zeros((len(texts), DIMS), dtype=np.float32)
        matrix[np.arange(len(texts)), [len(text) % DIMS for text in texts]] = 1.0
        return matrix


def _over(store: JournaledStore) -> Shelf:
    clock = SystemClock()
    return Shelf(MemoryService(store, _LengthEmbedder(), None, clock=clock, sink=NullSink()), store, clock)


@pytest.fixture(params=["fake", "real"])
async def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AssetShelf]:
    if request.param == "fake":
        yield MemoryShelf()
        return
    async with aclosing(await open_journaled(tmp_path / "store")) as store:
        yield _over(store)


def a_file(uri: str, sha256: str, *texts: str, project: str = "p") -> ShelvedFile:
    chunks = tuple(Chunk(text=text, lines=(number, number)) for number, text in enumerate(texts, start=1))
    return ShelvedFile(project=project, uri=uri, sha256=sha256, kind="document", chunks=chunks, modified=WRITTEN)


async def test_an_empty_shelf_knows_and_removes_nothing(shelf: AssetShelf) -> None:
    assert await shelf.known("p") == {}
    assert await shelf.remove("p", ["/a"]) == 0


async def test_a_shelf_knows_what_was_put_there_by_project(shelf: AssetShelf) -> None:
    await shelf.replace([a_file("/a'b", "1", "one", "two"), a_file("/c", "2", "three", project="q")])

    assert await shelf.known("p") == {"/a'b": "1"}
    assert await shelf.known("q") == {"/c": "2"}


async def test_a_replaced_file_is_there_once(shelf: AssetShelf) -> None:
    first = a_file("/a", "1", "one", "two")
    await shelf.replace([first, replace(first, project="q")])

    await shelf.replace([a_file("/a", "2", "three")])

    assert await shelf.known("p") == {"/a": "2"}
    assert await shelf.known("q") == {"/a": "1"}


async def test_removing_counts_files_not_pieces(shelf: AssetShelf) -> None:
    await shelf.replace([a_file("/a", "1", "one", "two"), a_file("/b", "2", "three")])

    removed = await shelf.remove("p", ["/a", "/never"])

    assert removed == 1
    assert await shelf.known("p") == {"/b": "2"}


@promise("memory.ingest.second-run")
async def test_a_second_ingestion_into_the_real_store_stores_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "guide.md").write_text("# Guide\n\nHow to add a recipe.\n" + "More words. " * 200)
    (folder / "tool.py").write_text("def add(a, b):\n    return a + b\n")
    readers = (DiskTree(), SemanticChunker())
    selection = Selection(paths=(folder,), project="p")

    async with aclosing(await open_journaled(tmp_path / "store")) as store:
        ingestor = Ingestor(_over(store), *readers, documents=ScriptedDocuments(), clock=SystemClock(), sink=NullSink())
        first = await ingestor.ingest(selection)
        (folder / "tool.py").unlink()
        second = await ingestor.ingest(selection)

    assert (first.files, first.removed) == (2, 0)
    assert first.chunks > 3
    assert (second.files, second.chunks, second.skipped, second.removed) == (0, 0, 1, 1)
