"""Reading one TOML file so that nothing it holds, and nothing it is, can hang or break a command.

A file may be a pipe, a folder, a loop of links, huge, binary, or made to keep the parser busy: each is
a `ConfigError` that says so.
"""

import hashlib
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ourcli.common.errors import ConfigError

USER_LIMIT_BYTES = 1_048_576
PROJECT_LIMIT_BYTES = 65_536
# The standard parser needs quadratic time for a key of many parts: 16,000 of them in 64 KB take half a minute.
_ENDLESS_KEY = re.compile(r"""(?:[ \t]{0,20}(?:[\w-]{1,200}|"[^"\n]{0,200}"|'[^'\n]{0,200}')[ \t]{0,20}\.){33}""")
_HEADER = re.compile(r"\s*\[{1,2}\s*([\w\-.\s\"']+?)\s*\]{1,2}\s*(?:#.*)?$")
_ASSIGNMENT = re.compile(r"\s*([\w\-.\"' \t]+?)\s*=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A TOML file as it was read.

    Attributes:
        path: Where it stands.
        text: Its characters, with the line ends it had.
        sha256: Digest of its bytes, hexadecimal.
        table: What it says.
    """

    path: Path
    text: str
    sha256: str
    table: Mapping[str, object]

    def place(self, name: str) -> str:
        """Return where the key or section `name` stands, for messages: the path, and the line where known."""
        line = self.line_of(name)
        return f"{self.path}, line {line}" if line else str(self.path)

    def line_of(self, name: str) -> int | None:
        """Return the line, from 1, where the key or section `name` is first set, or None when not plain to see."""
        return _lines(self.text).get(name)


def read_bytes(path: Path, *, limit: int) -> bytes:
    """Return the bytes of a regular file of at most `limit` bytes; never waits for a pipe or a device.

    Raises:
        ConfigError: It cannot be read, is no regular file, or is longer.
        FileNotFoundError: Nothing stands there.
    """
    try:
        _refuse_special(path, path.stat().st_mode)
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags), "rb") as stream:
            _refuse_special(path, os.fstat(stream.fileno()).st_mode)
            content = stream.read(limit + 1)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        raise ConfigError(f"cannot read {str(path)!r}: {reason}", hint="check the path and its permissions") from exc
    if len(content) > limit:
        raise ConfigError(
            f"{str(path)!r} is larger than {limit:,} bytes", hint="a configuration file holds settings, nothing else"
        )
    return content


def parse(content: bytes, path: Path) -> Document:
    """Return what the bytes of `path` say.

    Raises:
        ConfigError: They are not TOML; names the line where the parser gave up.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise ConfigError(f"{path}, line {line}: not UTF-8 text", hint="save the file as UTF-8") from exc
    text = text.removeprefix("\ufeff")
    if _ENDLESS_KEY.search(text):
        raise ConfigError(f"{path}: a key has more than 32 parts", hint="keys have one or two parts: ai.threads")
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as exc:
        reason = str(exc) if isinstance(exc, ValueError) else "it is nested too deeply"
        raise ConfigError(f"{path} is not valid TOML: {reason}", hint='texts stand in quotes: key = "value"') from exc
    return Document(path=path, text=text, sha256=hashlib.sha256(content).hexdigest(), table=table)


def read(path: Path, *, limit: int = USER_LIMIT_BYTES) -> Document:
    """Return what the file says.

    Raises:
        ConfigError: It cannot be read or is not TOML.
        FileNotFoundError: Nothing stands there.
    """
    return parse(read_bytes(path, limit=limit), path)


def _refuse_special(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise ConfigError(f"{str(path)!r} is a folder, expected a file", hint="move it away")
    if not stat.S_ISREG(mode):
        raise ConfigError(f"{str(path)!r} is not a regular file", hint="a pipe or a device cannot hold settings")


def _lines(text: str) -> dict[str, int]:
    """Return the first line of every key and section that stands on a line of its own."""
    found: dict[str, int] = {}
    section = ""
    closing = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if closing:
            closing = "" if closing in line else closing
            continue
        header = _HEADER.match(line)
        assignment = None if header else _ASSIGNMENT.match(line)
        if header:
            section = _dotted(header.group(1))
            found.setdefault(section, number)
        elif assignment:
            name = _dotted(assignment.group(1))
            found.setdefault(f"{section}.{name}" if section else name, number)
        closing = next((quotes for quotes in ('"""', "'''") if line.count(quotes) % 2), "")
    return found


def _dotted(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))
