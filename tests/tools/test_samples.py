"""The two samples that people use: text tools and SQL over a folder that was granted, in the real sandbox."""

import json
import os
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from ourcli.common.errors import ToolError
from ourcli.tools.backends.wasm.host import WasmHost
from ourcli.tools.capabilities import parse
from ourcli.tools.data import Json, JsonObject
from ourcli.tools.plugins import load_plugin
from ourcli.tools.ports import ToolContext
from tests.promises import promise
from tools.plugins import CompilerMissingError, build

pytestmark = pytest.mark.anyio
Call = Callable[[str, JsonObject], Awaitable[JsonObject]]


@pytest.fixture
def granted(tmp_path: Path) -> Path:
    """Return a folder that the samples may read, beside a file that they may not."""
    folder = tmp_path / "granted"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
def call(tmp_path: Path, host: WasmHost, granted: Path) -> Call:
    """Return a function that calls `SAMPLE.TOOL` with the right to read the folder."""
    right = f"fs:read={granted}"

    async def ask(name: str, given: JsonObject) -> JsonObject:
        sample, _, tool = name.partition(".")
        folder = tmp_path / sample
        if not folder.exists():
            try:
                build(sample, tmp_path)
            except CompilerMissingError as exc:
                pytest.skip(f"no compiler; it comes with: {exc}")
            manifest = json.loads((folder / "manifest.json").read_text())
            (folder / "manifest.json").write_text(json.dumps(manifest | {"capabilities": [right]}))
        tools = {one.spec().name: one for one in host.tools(load_plugin(folder))}
        context = ToolContext(granted=frozenset({parse(right)}))
        return await tools[f"{sample}.{tool}"].invoke(given, context)

    return ask


@promise("tools.sample.text")
async def test_text_counts_lists_and_finds(call: Call, granted: Path) -> None:
    (granted / "a.md").write_text("The cat saw the dog.\nNo TODO here\n")
    (granted / "b.txt").write_text("Ünï the end")
    (granted / "c.bin").write_bytes(b"\0\1\2 the")
    (granted / ".hidden").mkdir()
    (granted / ".hidden" / "d.md").write_text("the the the")

    counted = await call("text.count", {"path": str(granted)})
    often = await call("text.frequencies", {"path": str(granted), "top": 1})
    found = await call("text.find", {"path": str(granted), "pattern": "todo|END", "regex": True, "ignore_case": True})
    first = await call("text.find", {"path": str(granted), "pattern": "the", "limit": 1, "names": "*.txt"})

    passed: Json = {"binary": 1, "large": 0, "unreadable": 0}
    assert counted == {"files": 2, "lines": 3, "words": 11, "characters": 45, "bytes": 47, "passed_over": passed}
    assert often["words"] == [{"word": "the", "count": 3}]
    assert found["matches"] == [
        {"path": str(granted / "a.md"), "line": 2, "text": "No TODO here"},
        {"path": str(granted / "b.txt"), "line": 1, "text": "Ünï the end"},
    ]
    assert (first["matches"], first["more"]) == (
        [{"path": str(granted / "b.txt"), "line": 1, "text": "Ünï the end"}],
        False,
    )


@promise("tools.sample.text")
@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../secret.txt", "{granted}/../secret.txt", "{granted}/link", "{granted}/gone"]
)
async def test_text_sees_nothing_but_what_was_granted(call: Call, granted: Path, path: str) -> None:
    (granted / "link").symlink_to(granted.parent / "secret.txt")

    with pytest.raises(ToolError) as caught:
        await call("text.count", {"path": path.format(granted=granted)})

    assert "secret\n" not in caught.value.message


@promise("tools.sample.text")
@pytest.mark.parametrize("pattern", ["(", "a{9999}", "(?=x)"])
async def test_a_pattern_that_is_none_is_told(call: Call, granted: Path, pattern: str) -> None:
    with pytest.raises(ToolError, match="no regular expression"):
        await call("text.find", {"path": str(granted), "pattern": pattern, "regex": True})


def a_database(path: Path, *, wal: bool = False) -> sqlite3.Connection:
    """Return an open database with a table of notes."""
    database = sqlite3.connect(path)
    if wal:
        database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, size REAL, body BLOB)")
    rows = [('say "hi"\n', 1.5, b"\1\2"), ("ü\u202e", float("inf"), None), (None, 1e300, b"")]
    database.executemany("INSERT INTO notes (title, size, body) VALUES (?, ?, ?)", rows)
    database.commit()
    return database


@promise("tools.sample.sqlite")
async def test_sqlite_query_answers_with_columns_rows_and_parameters(call: Call, granted: Path) -> None:
    a_database(granted / "notes.db").close()
    path = str(granted / "notes.db")

    every = await call("sqlite-query.query", {"path": path, "sql": "SELECT * FROM notes", "limit": 2})
    one = await call(
        "sqlite-query.query",
        {"path": path, "sql": "SELECT title FROM notes WHERE id = ? OR title = ?", "parameters": [1, "ü\u202e"]},
    )
    schema = await call("sqlite-query.schema", {"path": path})

    blob: Json = {"bytes": 2, "hex": "0102"}
    assert every["columns"] == ["id", "title", "size", "body"]
    assert every["rows"] == [[1, 'say "hi"\n', 1.5, blob], [2, "ü\u202e", "Infinity", None]]
    assert (every["more"], one["rows"]) == (True, [['say "hi"\n'], ["ü\u202e"]])
    assert [row[:2] for row in json.loads(json.dumps(schema["rows"]))] == [["notes", "table"]]


@promise("tools.sample.sqlite")
async def test_sqlite_query_reads_what_lies_in_the_write_ahead_log(call: Call, granted: Path) -> None:
    with closing(a_database(granted / "notes.db", wal=True)):
        found = await call(
            "sqlite-query.query", {"path": str(granted / "notes.db"), "sql": "SELECT count(*) FROM notes"}
        )

    assert found["rows"] == [[3]]


@promise("tools.sample.sqlite")
@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM notes",
        "CREATE TABLE more (a)",
        "ATTACH '{granted}/other.db' AS other",
        "VACUUM INTO '{granted}/other.db'",
        "PRAGMA journal_mode=WAL",
        "PRAGMA writable_schema=1",
        "BEGIN IMMEDIATE",
        "SELECT 1; DELETE FROM notes",
        "SELECT load_extension('x')",
        "SELECT nothing FROM nowhere",
        "",
    ],
)
async def test_sqlite_query_refuses_what_does_not_read_and_changes_nothing(call: Call, granted: Path, sql: str) -> None:
    a_database(granted / "notes.db").close()
    before = (granted / "notes.db").read_bytes()

    with pytest.raises(ToolError, match="failed"):
        await call("sqlite-query.query", {"path": str(granted / "notes.db"), "sql": sql.format(granted=granted)})

    assert os.listdir(granted) == ["notes.db"]  # noqa: PTH208  # of an asynchronous test
    assert (granted / "notes.db").read_bytes() == before


@promise("tools.sample.sqlite")
async def test_sqlite_query_refuses_other_files_and_ends_an_endless_query(call: Call, granted: Path) -> None:
    (granted / "no.db").write_bytes(b"no database at all, but long enough to be one" * 100)
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c"
    a_database(granted / "notes.db").close()

    for path in (granted / "no.db", granted / "gone.db", granted.parent / "secret.txt"):
        with pytest.raises(ToolError):
            await call("sqlite-query.schema", {"path": str(path)})
    bounded = await call("sqlite-query.query", {"path": str(granted / "notes.db"), "sql": endless, "limit": 5})

    assert (bounded["rows"], bounded["more"]) == ([[1], [2], [3], [4], [5]], True)
