"""What a tool writes to its log, made harmless: it must not drive a terminal or pass for other lines."""

import re

MOST_CHARACTERS = 2000
_SEQUENCES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # operating system commands: titles, links, clipboard
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"  # device control and other strings
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # control sequences: colours, cursor
    r"|\x1b[ -/]*[0-~]?"  # two-character escapes
)
_UNSEEN = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def harmless(text: str) -> str:
    """Return one line without escape sequences, control, direction and invisible characters, and not too long."""
    plain = _UNSEEN.sub("", _SEQUENCES.sub("", text))
    return plain if len(plain) <= MOST_CHARACTERS else plain[:MOST_CHARACTERS] + " …"


class LogLines:
    """Cut a stream of bytes into harmless lines; of a line without end only the beginning is kept."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """Take the next bytes; return the lines that they finish, empty ones left out."""
        *whole, rest = data.split(b"\n")
        found = []
        for piece in whole:
            found.append(self._finish(piece))
        self._held += rest[: MOST_CHARACTERS * 4 - len(self._held)] if len(self._held) < MOST_CHARACTERS * 4 else b""
        return [line for line in found if line.strip()]

    def end(self) -> list[str]:
        """Return what is held as a last line, if there is any."""
        line = self._finish(b"")
        return [line] if line.strip() else []

    def _finish(self, piece: bytes) -> str:
        line = bytes(self._held) + piece[: MOST_CHARACTERS * 4]
        self._held.clear()
        return harmless(line.decode("utf-8", errors="replace"))
