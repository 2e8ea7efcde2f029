"""Files that are no files, and text that is no TOML."""

import os
import sys
from pathlib import Path

import pytest

from ourcli.common.errors import ConfigError
from ourcli.config.toml_file import parse, read
from tests.promises import promise


@promise("config.file.broken")
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"x = ", "is not valid TOML"),
        (b"[ai\nthreads = 1", "line 1"),
        (b'a = "\xff"', "line 1: not UTF-8 text"),
        (b'\n\na = "\xff"', "line 3: not UTF-8 text"),
        (b"\x00", "is not valid TOML"),
        (b"a = 1\na = 2\n", "is not valid TOML"),
        (b"a = " + b"[" * 5000, "nested too deeply"),
        (b"a = " + b"9" * 5000, "is not valid TOML"),
        (b".".join([b"a"] * 20_000) + b" = 1", "more than 32 parts"),
        (b"[" + b" . ".join([b'"a"'] * 10_000) + b"]", "more than 32 parts"),
        (b"x = 1\n" * 300_000, "larger than 1,048,576 bytes"),
    ],
)
def test_a_broken_file_is_an_error_that_names_it(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read(file)
    assert str(file) in caught.value.message
    assert says in caught.value.message


@promise("config.file.special")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes and devices in folders")
@pytest.mark.parametrize("kind", ["folder", "pipe", "loop", "device", "file as folder"])
def test_what_is_no_file_is_an_error_and_never_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "config.toml"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        (tmp_path / "file").write_text("")
        path = tmp_path / "file" / "config.toml"
    with pytest.raises(ConfigError, match=r"config\.toml"):
        read(path)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc has a file that cannot be read on Linux only")
def test_a_file_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ConfigError, match="cannot read '/proc/self/mem'"):
        read(Path("/proc/self/mem"))


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse(b"\xef\xbb\xbfa = 1\n", Path("x")).table == {"a": 1}


@pytest.mark.parametrize(
    ("text", "name", "line"),
    [
        ("[ai]\nthreads = 1\n", "ai.threads", 2),
        ("[ai]\r\n\r\nthreads = 1\r\n", "ai.threads", 3),
        ("# x\nai.threads = 1\n", "ai.threads", 2),
        ("[ai] # c\n'threads' = 1\n", "ai.threads", 2),
        ("[ ai ]\n  threads=1\n", "ai.threads", 2),
        ("a = '''\nb = 1\n'''\nb = 2\n", "b", 4),
        ("a = [\n  1,\n]\nb = 2\n", "b", 4),
        ("[[memory.rules]]\nid = 1\n[[memory.rules]]\nid = 2\n", "memory.rules", 1),
        ("ai = { threads = 1 }\n", "ai.threads", None),
        ("a = 'x\u2028y'\nb = 1\n", "b", 2),
    ],
)
def test_the_line_of_a_key_is_known(text: str, name: str, line: int | None) -> None:
    assert parse(text.encode(), Path("x")).line_of(name) == line
