"""Markdown that streams, and bars that move."""

import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.cli.diagnostics import Diagnostics
from ourcli.cli.markdown import MarkdownStream, split_blocks
from ourcli.cli.output import Output
from ourcli.cli.progress import ProgressBars
from ourcli.common.events import ProgressMade
from ourcli.testing.service import MORNING
from tests.promises import promise


def ticking(*moments: float) -> Iterator[float]:
    yield from moments
    while True:
        yield moments[-1]


def progress(done: int, total: int | None = 10, unit: str = "records") -> ProgressMade:
    return ProgressMade(at=MORNING, task="work\x1b[2J", done=done, total=total, unit=unit)


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("", ""),
        ("one line", ""),
        ("one\n\ntwo", "one\n\n"),
        ("```\na\n\nb\n", ""),
        ("```\na\n\nb\n```\n\nc", "```\na\n\nb\n```\n\n"),
        ("~~~~py\n```\n\n~~~\n\n~~~~\n\n", "~~~~py\n```\n\n~~~\n\n~~~~\n\n"),
    ],
)
def test_a_block_ends_with_a_blank_line_outside_fences(text: str, done: str) -> None:
    assert split_blocks(text) == (done, text[len(done) :])


@given(st.text(alphabet="a`~\n "), st.integers(0, 40))
def test_splitting_loses_nothing_and_does_not_depend_on_the_pieces(text: str, cut: int) -> None:
    first, rest = split_blocks(text[:cut])
    then, left = split_blocks(rest + text[cut:])

    assert first + then + left == text


@promise("cli.output.markdown")
def test_markdown_goes_to_a_pipe_as_it_comes() -> None:
    stream = io.StringIO()

    with MarkdownStream(Output(stream, terminal=False)) as shown:
        shown.feed("**bo")
        shown.feed("ld**\n\nrest")

    assert stream.getvalue() == "**bold**\n\nrest\n"


@promise("cli.output.markdown")
def test_markdown_is_rendered_on_a_terminal_and_each_finished_block_once() -> None:
    stream = io.StringIO()
    moments = ticking(*(n * 1.0 for n in range(100)))

    with MarkdownStream(Output(stream, terminal=True, color=False, width=40), lambda: next(moments)) as shown:
        for piece in ("# Tit", "le\n\n", "some **bo", "ld** words \x1b]0;evil\x07\n\n", "end"):
            shown.feed(piece)

    written = stream.getvalue()
    assert written.count("Title") == 1
    assert "**" not in written.rpartition("Title")[2].rpartition("some")[2]
    assert "\x1b]0" not in written
    assert written.rstrip().endswith("end")


def test_a_long_unfinished_block_is_shown_from_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINES", "10")
    stream = io.StringIO()
    shown = MarkdownStream(Output(stream, terminal=True, color=False, width=40), lambda: 1.0)

    shown.feed("```\n" + "\n".join(f"line {n}" for n in range(100)))

    assert "line 99" in stream.getvalue()
    assert "line 0\n" not in stream.getvalue()
    shown.close()


@promise("cli.output.progress")
def test_a_bar_is_shown_on_a_terminal_after_a_second_of_work() -> None:
    stream, moments = io.StringIO(), ticking(0.0, 0.9, 1.1)

    with ProgressBars(Diagnostics(stream, terminal=True, color=False), lambda: next(moments)) as bars:
        bars.emit(progress(1))
        bars.emit(progress(2))
        early = stream.getvalue()
        bars.emit(progress(3))

    assert early == ""
    assert "3/10" in stream.getvalue()
    assert "work␛[2J" in stream.getvalue()


@promise("cli.output.progress")
@pytest.mark.parametrize(("terminal", "quiet"), [(False, False), (True, True)], ids=["pipe", "quiet"])
def test_no_bar_is_shown_in_a_pipe_or_when_told_to_be_quiet(terminal: bool, quiet: bool) -> None:
    stream, moments = io.StringIO(), ticking(0.0, 10.0)

    with ProgressBars(Diagnostics(stream, terminal=terminal, quiet=quiet), lambda: next(moments)) as bars:
        bars.emit(progress(1))
        bars.emit(progress(2, total=None, unit="B"))

    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("color", "terminal", "colored"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_colours_are_for_terminals_that_want_them(color: bool, terminal: bool, colored: bool) -> None:
    stream = io.StringIO()

    Diagnostics(stream, terminal=terminal, color=color).error("it \x1b[2J broke", "mend it")

    assert ("\x1b[1;31m" in stream.getvalue()) is colored
    assert "it ␛[2J broke" in stream.getvalue()
