"""Ingestion as a whole: incremental, whole files only, one bad file never stops the rest."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import anyio
import pytest

from ourcli.common.clock import SystemClock
from ourcli.common.errors import InvalidInputError, StoreError
from ourcli.common.events import FilesIngested, ProgressMade
from ourcli.memory.backends.splitters import SemanticChunker
from ourcli.memory.backends.walker import DiskTree
from ourcli.memory.backends.watcher import SystemWatcher
from ourcli.memory.ingest.ingestor import BATCH_CHUNKS, Ingestor
from ourcli.memory.ingest.ports import FileTree, FileWatcher, ShelvedFile
from ourcli.memory.ingest.report import IngestReport, Selection
from ourcli.memory.stored import Redaction
from ourcli.testing.events import RecordingSink
from ourcli.testing.files import LineChunker, MemoryShelf, MemoryTree, ScriptedDocuments, ScriptedWatcher
from tests.promises import promise

pytestmark = pytest.mark.anyio

ROOT = Path("/notes").absolute()


def selection(*paths: Path) -> Selection:
    return Selection(paths=paths or (ROOT,), project="p")


def ingestor(shelf: MemoryShelf, tree: FileTree, sink: RecordingSink | None = None) -> Ingestor:
    return Ingestor(
        shelf, tree, LineChunker(), documents=ScriptedDocuments(), clock=SystemClock(), sink=sink or RecordingSink()
    )


def on_disk(shelf: MemoryShelf) -> Ingestor:
    return Ingestor(
        shelf, DiskTree(), SemanticChunker(), documents=ScriptedDocuments(), clock=SystemClock(), sink=RecordingSink()
    )


def memory_tree(**files: str) -> MemoryTree:
    return MemoryTree({ROOT / f"{name}.md": text.encode() for name, text in files.items()})


def place(folder: Path) -> Path:
    """Return the folder as ingestion names it, links resolved."""
    return folder.resolve()


def counts(report: IngestReport) -> tuple[int, int, int, int]:
    return report.files, report.chunks, report.skipped, report.removed


def stored(shelf: MemoryShelf) -> list[str]:
    return sorted(Path(uri).name for _, uri in shelf.files)


@promise("memory.ingest.missing-path")
async def test_nothing_is_stored_when_one_path_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("text")
    shelf = MemoryShelf()

    with pytest.raises(InvalidInputError, match=r"nope\.md"):
        await on_disk(shelf).ingest(selection(tmp_path / "a.md", tmp_path / "nope.md"))

    assert shelf.batches == []


@promise("memory.ingest.bad-file")
async def test_one_bad_file_does_not_stop_the_rest_and_each_says_why() -> None:
    tree = memory_tree(good="words", shut="words", empty=" \n")
    tree.unreadable.add(ROOT / "shut.md")
    big = "x" * (2 * 1024 * 1024 + 1)
    tree.contents |= {ROOT / "x.bin": b"\0\1", ROOT / ".env": b"KEY=1", ROOT / "big.txt": big.encode()}
    tree.problems = ("/notes/locked: Permission denied",)
    shelf = MemoryShelf()

    report = await ingestor(shelf, tree).ingest(selection())

    assert stored(shelf) == ["good.md"]
    assert counts(report) == (1, 1, 5, 0)
    reasons = {Path(line.split(": ")[0]).name: line.split(": ", 1)[1] for line in report.problems}
    assert reasons == {
        "locked": "Permission denied",
        ".env": "may hold secrets",
        "big.txt": "is larger than 2 MB",
        "empty.md": "is empty",
        "shut.md": "cannot be read: Permission denied",
        "x.bin": "is binary",
    }


@promise("memory.ingest.incremental")
async def test_unchanged_is_skipped_changed_replaced_deleted_removed(tmp_path: Path) -> None:
    for name in ("same", "change", "delete", "hide"):
        (tmp_path / f"{name}.md").write_text(f"# {name}\n\nfirst words\n")
    shelf = MemoryShelf()
    first = await on_disk(shelf).ingest(selection(tmp_path))
    again = await on_disk(shelf).ingest(selection(tmp_path))
    (tmp_path / "change.md").write_text("# change\n\nother words\n")
    (tmp_path / "delete.md").unlink()
    (tmp_path / ".gitignore").write_text("hide.md")

    third = await on_disk(shelf).ingest(selection(tmp_path))

    assert counts(first) == (4, 4, 0, 0)
    assert counts(again) == (0, 0, 4, 0)
    assert counts(third) == (1, 1, 1, 2)
    assert stored(shelf) == ["change.md", "same.md"]
    changed = shelf.files["p", str(place(tmp_path) / "change.md")]
    assert changed.chunks[0].text == "# change\n\nother words"
    assert changed.kind == "document"


@promise("memory.ingest.removal-stays-inside")
async def test_only_files_under_the_given_paths_are_removed() -> None:
    tree = memory_tree(a="words", b="words")
    tree.contents[ROOT / "sub" / "c.md"] = b"words"
    shelf = MemoryShelf()
    await ingestor(shelf, tree).ingest(selection())
    web = ShelvedFile(
        project="p",
        uri="https://example.org/a",
        sha256="1",
        kind="document",
        chunks=(),
        modified=SystemClock().now(),
    )
    shelf.files["p", web.uri] = web
    del tree.contents[ROOT / "b.md"], tree.contents[ROOT / "sub" / "c.md"]
    tree.contents[ROOT / "sub" / "d.md"] = b"words"

    report = await ingestor(shelf, tree).ingest(selection(ROOT / "sub"))

    assert counts(report) == (1, 1, 0, 1)
    assert stored(shelf) == ["a", "a.md", "b.md", "d.md"]


async def test_what_cannot_be_looked_at_is_kept_and_what_became_unfit_is_removed() -> None:
    tree = memory_tree(shut="words", binary="words", unseen="words", gone="words")
    shelf = MemoryShelf()
    await ingestor(shelf, tree).ingest(selection())
    tree.unreadable.add(ROOT / "shut.md")
    tree.contents[ROOT / "binary.md"] = b"\0"
    tree.hidden.add(ROOT / "unseen.md")
    tree.problems = ("/notes: Permission denied",)
    del tree.contents[ROOT / "gone.md"]

    report = await ingestor(shelf, tree).ingest(selection())

    assert stored(shelf) == ["shut.md", "unseen.md"]
    assert report.removed == 2


async def test_a_file_that_is_stored_half_is_stored_again() -> None:
    tree = memory_tree(a="words")
    shelf = MemoryShelf()
    await ingestor(shelf, tree).ingest(selection())
    shelf.halves.add(str(ROOT / "a.md"))

    report = await ingestor(shelf, tree).ingest(selection())

    assert counts(report) == (1, 1, 0, 0)


@promise("memory.ingest.resume")
async def test_after_a_failed_write_whole_files_are_there_and_the_next_run_goes_on() -> None:
    lines = "\n".join(["words"] * (BATCH_CHUNKS // 2))
    tree = memory_tree(**{f"f{number}": lines for number in range(6)})
    shelf = MemoryShelf(fail_at=2)

    with pytest.raises(StoreError, match="no space"):
        await ingestor(shelf, tree).ingest(selection())
    kept = stored(shelf)
    report = await ingestor(shelf, tree).ingest(selection())

    assert kept == ["f0.md", "f1.md"]
    assert counts(report) == (4, 4 * BATCH_CHUNKS // 2, 2, 0)
    assert shelf.batches == [2, 2, 2, 2]


class _InterruptedShelf(MemoryShelf):
    """Cancels whoever stores the second batch, as Ctrl-C does."""

    scope: anyio.CancelScope

    async def replace(self, files: Sequence[ShelvedFile], *, allow_secrets: bool = False) -> tuple[Redaction, ...]:
        if self.batches:
            self.scope.cancel()
        await anyio.lowlevel.checkpoint()
        return await super().replace(files, allow_secrets=allow_secrets)


@promise("memory.ingest.interrupt")
async def test_an_interrupted_ingestion_leaves_whole_files_and_resumes() -> None:
    lines = "\n".join(["words"] * BATCH_CHUNKS)
    tree = memory_tree(a=lines, b=lines, c=lines)
    shelf = _InterruptedShelf()

    with anyio.CancelScope() as shelf.scope:
        await ingestor(shelf, tree).ingest(selection())
    kept = stored(shelf)
    shelf.scope = anyio.CancelScope()
    report = await ingestor(shelf, tree).ingest(selection())

    assert kept == ["a.md"]
    assert report.files == 2


@promise("memory.ingest.progress")
async def test_progress_and_the_end_are_told() -> None:
    tree, sink, listen = memory_tree(a="one\ntwo", b="three"), RecordingSink(), RecordingSink()

    report = await ingestor(MemoryShelf(), tree, sink).ingest(selection(), listen)

    assert [(event.done, event.total, event.unit) for event in listen.of(ProgressMade)] == [(2, 2, "files")]
    assert [(event.files, event.chunks, event.removed) for event in sink.of(FilesIngested)] == [(2, 3, 0)]
    assert report.seconds > 0


@promise("memory.ingest.watch")
async def test_watching_reads_changes_deletions_and_new_patterns_again() -> None:
    tree, shelf = memory_tree(a="words", b="words", c="words"), MemoryShelf()

    def edit() -> set[Path]:
        tree.contents[ROOT / "a.md"] = b"other words"
        tree.contents[ROOT / "b.md"] = b"not told"
        return {ROOT / "a.md"}

    def nothing() -> set[Path]:
        return {ROOT / "unrelated"}

    def move() -> set[Path]:
        tree.contents[ROOT / "new" / "c.md"] = tree.contents.pop(ROOT / "c.md")
        return {ROOT / "c.md", ROOT / "new"}

    def pattern() -> set[Path]:
        tree.hidden.add(ROOT / "a.md")
        return {ROOT / ".gitignore"}

    watcher = ScriptedWatcher(edit, nothing, move, pattern)
    async with ingestor(shelf, tree).watch(selection(), watcher) as reports:
        seen = [counts(report) async for report in reports]

    assert seen == [(3, 3, 0, 0), (1, 1, 0, 0), (1, 1, 0, 1), (1, 1, 1, 1)]
    assert sorted(uri for _, uri in shelf.files) == [str(ROOT / "b.md"), str(ROOT / "new" / "c.md")]


async def test_an_error_while_watching_arrives_as_itself(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("words")

    with pytest.raises(StoreError, match="no space"):
        async with on_disk(MemoryShelf(fail_at=1)).watch(selection(tmp_path), SystemWatcher()) as reports:
            await anext(reports)


@promise("memory.ingest.watch-disk")
async def test_a_burst_on_disk_becomes_a_report_even_right_after_the_start(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("words")
    shelf = MemoryShelf()

    with anyio.fail_after(20):
        async with on_disk(shelf).watch(selection(tmp_path), SystemWatcher()) as reports:
            first = await anext(reports)
            (tmp_path / "a.md").rename(tmp_path / "b.md")
            second = await anext(reports)

    assert counts(first) == (1, 1, 0, 0)
    assert counts(second) == (1, 1, 0, 1)
    assert stored(shelf) == ["b.md"]


Observe = Callable[[Path, Callable[[], set[Path]]], Awaitable[set[Path]]]


@pytest.fixture(params=["system", "scripted"])
def observe(request: pytest.FixtureRequest) -> Observe:
    """Return what a watcher tells of a change that is made once it watches."""

    async def told(root: Path, change: Callable[[], set[Path]]) -> set[Path]:
        system = request.param == "system"
        watcher: FileWatcher = SystemWatcher() if system else ScriptedWatcher(change)
        with anyio.fail_after(20):
            async with watcher.changes([root]) as bursts:
                if system:
                    change()
                return await anext(bursts)

    return told


@pytest.mark.parametrize("watch_file", [False, True], ids=["folder", "file"])
async def test_a_watcher_tells_of_a_replaced_file(tmp_path: Path, observe: Observe, watch_file: bool) -> None:
    path = place(tmp_path) / "a.md"
    path.write_text("before")

    def replace() -> set[Path]:
        fresh = path.with_suffix(".tmp")
        fresh.write_text("after")
        fresh.replace(path)
        return {path}

    told = await observe(path if watch_file else path.parent, replace)

    assert path in told
    assert told <= {path, path.with_suffix(".tmp")}
