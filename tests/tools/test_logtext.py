"""What a tool writes to its log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.tools.logtext import MOST_CHARACTERS, LogLines, harmless
from tests.promises import promise


@promise("tools.log.harmless")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;c2VjcmV0\x07", ""),
        ("\x1bP1$r\x1b\\x", "x"),
        ("\x9b2Jcleared", "cleared"),
        ("over\rwritten\x08\x7f", "overwritten"),
        ("abc\u202edef\u200b", "abcdef"),
        ("a\u2028b", "ab"),
        ("\x1b", ""),
        ("tab\tstays", "tab\tstays"),
        ("x" * 3000, "x" * MOST_CHARACTERS + " …"),
    ],
)
def test_a_line_is_made_harmless(text: str, shown: str) -> None:
    assert harmless(text) == shown


@promise("tools.log.harmless")
@given(st.lists(st.binary(max_size=50), max_size=10))
def test_whatever_bytes_come_lines_are_plain(pieces: list[bytes]) -> None:
    log = LogLines()
    lines = [line for piece in pieces for line in log.feed(piece)] + log.end()

    assert all(line.replace("\t", "").strip() and "\x1b" not in line and "\n" not in line for line in lines)


def test_lines_come_out_however_they_are_cut() -> None:
    log = LogLines()

    assert log.feed(b"one\ntw") == ["one"]
    assert log.feed(b"o\n\nthree") == ["two"]
    assert log.end() == ["three"]
    assert log.end() == []


def test_an_endless_line_is_not_kept_whole() -> None:
    log = LogLines()
    for _ in range(100):
        assert log.feed(b"x" * 10_000) == []

    assert len(log.end()[0]) == MOST_CHARACTERS + 2
