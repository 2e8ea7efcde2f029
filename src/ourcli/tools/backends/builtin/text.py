"""A file's bytes as text that can be written back byte for byte."""

import codecs
from dataclasses import dataclass
from typing import Final

from ourcli.common.errors import ToolError

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_GUESSED_BYTES: Final = 65536
"""A guess looks at so many bytes: more of them change it rarely and cost seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileText:
    """The text of a file.

    Attributes:
        text: Without the byte order mark; line ends as they are.
        encoding: Its name.
        mark: The byte order mark, or nothing.
        guessed: Nothing in the file says the encoding; it is the likeliest.
    """

    text: str
    encoding: str
    mark: bytes = b""
    guessed: bool = False

    def encoded(self, text: str) -> bytes:
        """Return another text as bytes of the same kind.

        Raises:
            ToolError: The encoding lacks a character of it, or is only guessed and the text is more than ASCII.
        """
        try:
            return self.mark + text.encode(self.encoding)
        except UnicodeEncodeError as exc:
            raise ToolError(
                f"{exc.object[exc.start : exc.end]!r} cannot be written in {self.encoding}", hint="nothing was changed"
            ) from exc


def decoded(data: bytes) -> FileText | None:
    """Return the text of a file's bytes, or None when they are not text.

    UTF-8, or what a byte order mark says; else the likeliest legacy encoding, where one is likely.
    """
    try:
        for mark, encoding in _MARKS:
            if data.startswith(mark):
                return FileText(text=data[len(mark) :].decode(encoding), encoding=encoding, mark=mark)
        return None if b"\0" in data else FileText(text=data.decode(), encoding="utf-8")
    except UnicodeDecodeError:
        return None if b"\0" in data else _guessed(data)


def _guessed(data: bytes) -> FileText | None:
    from charset_normalizer import from_bytes  # deferred: only old files need it

    likeliest = from_bytes(data[:_GUESSED_BYTES]).best()
    if likeliest is None:
        return None
    try:
        return FileText(text=data.decode(likeliest.encoding), encoding=likeliest.encoding, guessed=True)
    except (UnicodeDecodeError, LookupError):
        return None


def text_of(data: bytes, path: str) -> FileText:
    """Return the text of a file's bytes.

    Raises:
        ToolError: They are not text.
    """
    found = decoded(data)
    if found is None:
        raise ToolError(f"{path!r} is not text", hint="binary files are not read")
    return found
