"""What reaches stdout, and how."""

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.cli.amounts import in_bytes, shortened
from ourcli.cli.answer_view import place_of
from ourcli.cli.output import Output
from ourcli.cli.sanitize import neutralise, well_formed
from ourcli.common.jsondata import to_json
from ourcli.memory.record import Source
from tests.promises import promise


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Thing:
    name: str
    at: datetime
    colour: Colour
    place: Path
    sizes: tuple[float, ...]


def terminal(width: int = 60, *, color: bool = False) -> tuple[Output, io.StringIO]:
    stream = io.StringIO()
    return Output(stream, terminal=True, color=color, width=width), stream


def pipe() -> tuple[Output, io.StringIO]:
    stream = io.StringIO()
    return Output(stream, terminal=False), stream


def test_a_value_without_a_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="no JSON form for object"):
        to_json(object())


def test_values_become_json_the_way_the_contract_says() -> None:
    at = datetime(2026, 1, 2, 5, 4, 5, 678901, tzinfo=timezone(timedelta(hours=2)))
    thing = Thing("é", at, Colour.RED, Path("/a/b"), (0.5, float("nan"), float("inf")))

    data = to_json({Colour.RED: thing, "none": None, "flag": True})

    assert data == {
        "red": {
            "name": "é",
            "at": "2026-01-02T03:04:05.678901Z",
            "colour": "red",
            "place": "/a/b",
            "sizes": [0.5, None, None],
        },
        "none": None,
        "flag": True,
    }


def test_a_document_is_one_line_in_a_pipe_and_indented_on_a_terminal() -> None:
    (piped, in_pipe), (shown, on_screen) = pipe(), terminal()

    piped.document({"a": [1]})
    shown.document({"a": [1]})

    assert in_pipe.getvalue() == '{"a": [1]}\n'
    assert on_screen.getvalue() == '{\n  "a": [\n    1\n  ]\n}\n'


@promise("cli.output.control-characters")
@given(st.text())
def test_nothing_that_drives_a_terminal_survives(text: str) -> None:
    shown = neutralise(text)

    assert not [c for c in shown if (ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0]
    assert not set("\u202e\u2066\u200f") & set(shown)


@promise("cli.output.control-characters")
def test_a_record_cannot_clear_the_screen_but_a_pipe_gets_it_as_it_is() -> None:
    (piped, in_pipe), (shown, on_screen) = pipe(), terminal()

    piped.text("a\x1b[2Jb\r\n")
    shown.text("a\x1b[2Jb\rc\r\n")
    shown.table(("n",), [("\x1b]0;title\x07[bold]x[/bold]",)])

    assert in_pipe.getvalue() == "a\x1b[2Jb\r\n\n"
    assert on_screen.getvalue().startswith("a␛[2Jb␍c\n\n")
    assert "\x1b]" not in on_screen.getvalue()
    assert "␛]0;title␇[bold]x[/bold]" in on_screen.getvalue()


def test_bytes_that_are_no_text_become_replacement_characters() -> None:
    assert well_formed(b"a\xffb".decode("utf-8", "surrogateescape")) == "a\ufffdb"


def test_a_table_is_aligned_text_in_a_pipe() -> None:
    output, stream = pipe()

    output.table(("id", "text"), [("1", "two\nlines"), ("100", "")])

    assert stream.getvalue() == "id   text\n1    two lines\n100\n"


def test_a_table_is_drawn_on_a_terminal_without_colours_when_told() -> None:
    output, stream = terminal(color=False)

    output.table(("id", "text"), [("1", "x")])

    assert "id" in stream.getvalue()
    assert "─" in stream.getvalue()
    assert "\x1b[3" not in stream.getvalue()


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (91_800_000, "91.8 MB"), (1_117_000_000, "1.1 GB")]
)
def test_sizes_are_told_in_the_unit_that_fits(size: int, text: str) -> None:
    assert in_bytes(size) == text


def test_long_text_is_cut_with_an_ellipsis_on_one_line() -> None:
    assert shortened("a  b\nc", 10) == "a b c"
    assert shortened("abcdefgh", 5) == "abcd…"


def test_json_lines_are_compact_and_keep_unicode() -> None:
    output, stream = pipe()

    output.line({"at": datetime(2026, 1, 1, tzinfo=UTC), "text": "naïve\n"})

    assert stream.getvalue() == '{"at":"2026-01-01T00:00:00.000Z","text":"naïve\\n"}\n'
    assert json.loads(stream.getvalue())["text"] == "naïve\n"


@pytest.mark.parametrize(
    ("source", "place"),
    [
        (None, ""),
        (Source(uri="/a.md", lines=(3, 7), sha256=""), "/a.md:3-7"),
        (Source(uri="/a.pdf", lines=None, sha256="", page=3), "/a.pdf page 3"),
        (Source(uri="/a.docx", lines=None, sha256=""), "/a.docx"),
    ],
)
def test_a_place_is_told_by_lines_or_page(source: Source | None, place: str) -> None:
    assert place_of(source) == place
