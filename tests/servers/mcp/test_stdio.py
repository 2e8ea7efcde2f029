"""The wire on stdin and stdout: lines, what is none of the protocol, and what a client that leaves still gets."""

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from ourcli.servers.mcp.stdio import Lines, LineTooLongError
from tests.promises import promise


def cut(pieces: list[bytes], most: int = 100) -> list[bytes | str]:
    lines = Lines(most)
    found = [one for piece in pieces for one in lines.feed(piece)]
    return ["too long" if isinstance(one, LineTooLongError) else one for one in found]


@promise("servers.mcp.stdio.lines")
def test_a_line_without_end_is_refused_once_and_skipped_to_its_end() -> None:
    assert cut([b"x" * 60, b"x" * 60, b"x" * 500, b"x\n", b"next\n"]) == ["too long", b"next"]


@promise("servers.mcp.stdio.lines")
@given(st.lists(st.binary(max_size=40)), st.integers(1, 30))
def test_however_bytes_arrive_the_lines_are_the_same(parts: list[bytes], size: int) -> None:
    whole = b"\n".join(parts) + b"\n"
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]

    assert cut(pieces, 1000) == cut([whole], 1000)


@promise("servers.mcp.stdio.clean")
def test_while_the_wire_is_claimed_prints_go_to_stderr_and_readers_see_nothing() -> None:
    words = (
        "import os, sys\n"
        "from ourcli.servers.mcp.stdio import claimed\n"
        "with claimed() as wire:\n"
        "    print('stray'); os.system('echo strayer'); assert sys.stdin.read() == ''\n"
        "    os.write(wire.writing, os.read(wire.reading, 100))\n"
        "print('after')\n"
    )
    done = subprocess.run([sys.executable, "-c", words], input=b"hello\n", capture_output=True, check=True)

    assert done.stdout == b"hello\nafter\n"
    assert sorted(done.stderr.split()) == [b"stray", b"strayer"]
