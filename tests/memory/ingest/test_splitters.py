"""Pieces of files: along their structure, with exact lines, in bounded time."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ourcli.memory.backends.splitters import CODE_CHARS, FRAGMENT_CHARS, PROSE_CHARS, SemanticChunker
from ourcli.memory.ingest.formats import kind
from ourcli.memory.ingest.ports import Chunk, Chunker
from ourcli.testing.files import LineChunker
from tests.promises import promise

CHUNKER = SemanticChunker()

_SAMPLES = {
    "x.py": ("def {0}(a, b):\n    total = a + b\n    return total * {1}\n\n\n", "def "),
    "x.js": ("function {0}(a, b) {{\n  const total = a + b;\n  return total * {1};\n}}\n\n", "function "),
    "x.ts": ("function {0}(a: number): number {{\n  const total = a + 1;\n  return total * {1};\n}}\n\n", "function "),
    "x.tsx": (
        "function {0}(a: number) {{\n  const total = a + 1;\n  return <b>{{total * {1}}}</b>;\n}}\n\n",
        "function ",
    ),
    "x.rs": ("fn {0}(a: i32, b: i32) -> i32 {{\n    let total = a + b;\n    total * {1}\n}}\n\n", "fn "),
    "x.go": ("func {0}(a int, b int) int {{\n\ttotal := a + b\n\treturn total * {1}\n}}\n\n", "func "),
    "x.c": ("int {0}(int a, int b) {{\n    int total = a + b;\n    return total * {1};\n}}\n\n", "int {"),
    "x.cpp": ("int {0}(int a, int b) {{\n    auto total = a + b;\n    return total * {1};\n}}\n\n", "int {"),
    "x.java": ("class {0} {{\n    int total(int a) {{\n        return a * {1};\n    }}\n}}\n\n", "class "),
    "x.rb": ("def {0}(a, b)\n  total = a + b\n  total * {1}\nend\n\n", "def "),
    "x.sh": ("{0}() {{\n  local total=$(( $1 + $2 ))\n  echo $(( total * {1} ))\n}}\n\n", "name"),
    "x.cs": ("class {0} {{\n    int Total(int a) {{\n        return a * {1};\n    }}\n}}\n\n", "class "),
    "x.php": ("function {0}($a, $b) {{\n    $total = $a + $b;\n    return $total * {1};\n}}\n\n", "function "),
}


def lines_of(chunk: Chunk) -> tuple[int, int]:
    assert chunk.lines is not None
    return chunk.lines


def _body(chunk: Chunk) -> str:
    return chunk.text.removeprefix(f"{chunk.heading}\n\n") if chunk.heading else chunk.text


def _assert_exact(source: str, chunks: list[Chunk]) -> None:
    """Each piece stands word for word in its lines, begins in the first of them and ends in the last."""
    lines = source.split("\n")
    reached = 0
    for chunk in chunks:
        first, last = lines_of(chunk)
        assert 1 <= first <= last <= len(lines)
        body = _body(chunk)
        assert body.strip()
        assert body in "\n".join(lines[first - 1 : last])
        assert body.count("\n") == last - first
        found = source.find(body, reached)
        assert found >= reached, "pieces come in order and do not overlap"
        reached = found + len(body)
    kept = "".join("".join(_body(chunk).split()) for chunk in chunks)
    assert kept == "".join(source.split()), "nothing but white space is lost"


@pytest.mark.parametrize("text", ["", " \n\t\r\n", "\u2028\x0b\x0c\n"])
@pytest.mark.parametrize("name", ["a.md", "a.txt", "a.py", "a.html", "a.toml"])
def test_white_space_alone_has_no_pieces(name: str, text: str) -> None:
    assert CHUNKER.chunks(Path(name), text) == []


@promise("memory.ingest.lines")
@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["a.md", "a.rst", "a.py", "a.js", "a.yaml", "LICENSE"]),
    parts=st.lists(
        st.one_of(
            st.sampled_from(
                ["\n", "\n\n", "\r\n", "\r\n\r\n", "\r", "\x0b", "\x0c", "\u2028", "\x85", "\u00a0", "\t  "]
            ),
            st.sampled_from(["# Title\n", "## Part\r\n", "```\n", "- item\n", "def f(x):\n    return x\n", "{[()]}"]),
            st.text(alphabet=st.characters(codec="utf-8"), max_size=30),
            st.sampled_from(["word " * 60, "é👩‍👩‍👧 " * 40, "x" * 1500]),
        ),
        max_size=25,
    ),
)
@example(name="a.md", parts=["a\r\n", "\x0c", "b\u2028c", "no end"])
def test_the_lines_of_a_piece_hold_its_text(name: str, parts: list[str]) -> None:
    source = "".join(parts)

    chunks = CHUNKER.chunks(Path(name), source)

    _assert_exact(source, chunks)


@promise("memory.ingest.syntax")
@pytest.mark.parametrize("name", sorted(_SAMPLES))
def test_source_code_is_cut_between_its_definitions(name: str) -> None:
    template, opening = _SAMPLES[name]
    functions = "".join(template.format(f"name{number}", number) for number in range(40))
    source = f"<?php\n\n{functions}" if name == "x.php" else functions

    chunks = CHUNKER.chunks(Path(name), source)

    assert CHUNKER.kind(Path(name)) == "code"
    assert len(chunks) > 3
    assert all(chunk.text.startswith(opening.rstrip("{")) for chunk in chunks[1:])
    _assert_exact(source, chunks)


@promise("memory.ingest.headings")
def test_a_markdown_piece_carries_the_titles_above_it() -> None:
    source = (
        "---\ntitle: no heading\n---\n# Guide\n\n" + "Hello there. " * 40 + "\n\n```sh\n# not a title\n```\n\n"
        "## Recipes ##\n\n### Add a recipe\n\n" + "Write a file. " * 50 + "\n\n" + "Then run it. " * 50 + "\n\n"
        "Undoing\n-------\n\n" + "Take it back. " * 50 + "\n"
    )

    chunks = CHUNKER.chunks(Path("guide.md"), source)

    by_word = {word: next(c for c in chunks if word in _body(c)) for word in ("Write", "Then run", "Take it back")}
    assert by_word["Then run"].heading == "Guide > Recipes > Add a recipe"
    assert by_word["Then run"].text.startswith("Guide > Recipes > Add a recipe\n\nThen run")
    assert by_word["Write"].heading == "Guide"
    assert _body(by_word["Write"]).startswith("## Recipes ##\n\n### Add a recipe\n\nWrite")
    assert by_word["Take it back"].heading == "Guide"
    assert lines_of(by_word["Take it back"])[0] == source[: source.index("Undoing")].count("\n") + 1


@promise("memory.ingest.html")
def test_html_is_read_as_a_person_sees_it_with_the_lines_of_the_source() -> None:
    source = (
        "<!doctype html>\r\n<title>Manual</title><style>p { color: red }</style>\r\n"
        "<body><nav>skip me</nav><!-- nor > this -->\r\n<h1>Cache &amp; queue</h1>\r\n"
        "<p>" + "A long first paragraph. " * 40 + "</p>\r\n"
        "<script>if (a < b) { write('</p>') }</script>\r\n<h2>Expiry</h2>\r\n"
        '<p title="a > b">Entries live\r\n   15 <b>minutes</b>, not 3 &lt; 4.</p>\r\n'
        "<pre>\r\n  keep\r\n    this\r\n</pre><p>" + "Padding follows here. " * 30 + "</p></body>"
    )

    chunks = CHUNKER.chunks(Path("manual.html"), source)

    expiry = next(chunk for chunk in chunks if "Entries live" in chunk.text)
    assert expiry.heading == "Cache & queue"
    assert "## Expiry\n\nEntries live 15 minutes, not 3 < 4." in expiry.text
    assert "```\n  keep\n    this\n```" in expiry.text
    assert expiry.lines == (7, 13)
    everything = " ".join(chunk.text for chunk in chunks)
    assert not any(word in everything for word in ("color", "skip me", "nor", "write("))


@given(page=st.text(alphabet="<>/!-= \"'&;\nabpreh1sctilk", max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_page_breaks_the_reader(page: str) -> None:
    for chunk in CHUNKER.chunks(Path("x.html"), page):
        first, last = lines_of(chunk)
        assert 1 <= first <= last <= page.count("\n") + 1


def test_fragments_join_their_neighbours_and_pieces_fit_the_embedder() -> None:
    source = "".join(f"# T{number}\n\n{'Some words here. ' * (number % 9)}\n\n" for number in range(200))

    chunks = CHUNKER.chunks(Path("a.md"), source)

    sizes = [len(_body(chunk)) for chunk in chunks]
    assert max(sizes) <= PROSE_CHARS[1] + FRAGMENT_CHARS
    assert min(sizes[:-1]) >= FRAGMENT_CHARS


@promise("memory.ingest.odd-code")
@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("deep.js", "[" * 20_000 + "]" * 20_000),
        ("branches.c", "if (a) {b();}\n" + "else if (c) {d();}\n" * 2_000),
        ("minified.js", "f(1);" * 40_000),
        ("one-line.md", "x" * 200_000),
        ("open.html", "<a " * 60_000),
    ],
)
def test_code_that_no_hand_wrote_is_still_cut_small(name: str, source: str) -> None:
    # A splitter that is left alone with the first of these is busy for hours: the suite's time limit is the proof.
    chunks = CHUNKER.chunks(Path(name), source)

    assert chunks
    assert max(len(chunk.text) for chunk in chunks) <= max(PROSE_CHARS[1], CODE_CHARS[1]) + FRAGMENT_CHARS


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.py", "code"), ("Makefile", "code"), ("a.SQL", "code"), ("a.md", "document"), ("LICENSE", "document")],
)
def test_a_files_name_says_what_it_is(name: str, expected: str) -> None:
    assert kind(Path(name)) == expected


@pytest.mark.parametrize("chunker", [SemanticChunker(), LineChunker()], ids=["real", "fake"])
def test_every_chunker_returns_stripped_pieces_in_order_with_their_lines(chunker: Chunker) -> None:
    source = "\n\nfirst words\n\n" + "more words. " * 90 + "\n\nlast words"

    chunks = chunker.chunks(Path("a.txt"), source)

    _assert_exact(source, chunks)
    assert lines_of(chunks[0])[0] == 3
    assert lines_of(chunks[-1])[1] == 7
    assert chunker.kind(Path("a.py")) == "code"
