"""The body of what was fetched: of a kind that is text, unpacked within its bound, and decoded."""

import codecs
import zlib
from collections.abc import AsyncIterable
from typing import Final

from ourcli.common.errors import ToolOutputError

TAKEN: Final = ("text/*", "application/json", "application/*+json", "application/xml", "application/*+xml")
"""Kinds that are taken unless the fetcher is made for others."""
PACKED: Final = {"": 0, "identity": 0, "gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16}
_CODECS: Final = (
    "ascii",
    "utf-8",
    "utf-16",
    "utf-32",
    "iso8859",
    "cp12",
    "koi8",
    "mac",
    "shift_jis",
    "euc",
    "gb",
    "big5",
)
"""Beginnings of Python's names for them; its other codecs are no charsets, or take long on chosen bytes."""


def kind_of(header: str) -> tuple[str, str]:
    """Return the content type in small letters and the charset, "" for what is not told (RFC 9110, section 8.3)."""
    kind, *parameters = header.split(";")
    charset = ""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip("\"'").lower()
    return kind.strip().lower(), charset


def is_taken(kind: str, taken: tuple[str, ...]) -> bool:
    """Say whether a content type fits one of the patterns; one that is not told does."""
    if not kind:
        return True
    for pattern in taken:
        before, star, after = pattern.partition("*")
        if kind == pattern or (star and kind.startswith(before) and kind.endswith(after) and len(kind) > len(before)):
            return True
    return False


async def unpacked(chunks: AsyncIterable[bytes], packing: str, *, most_bytes: int) -> bytes:
    """Read a body to its end.

    Args:
        chunks: As they come.
        packing: The content encoding.
        most_bytes: Of the body, both as it comes and unpacked.

    Raises:
        ToolOutputError: It is larger, or packed in a way that is not taken.
    """
    if packing not in PACKED:
        raise ToolOutputError(f"the body is packed as {packing[:60]!r}, which nobody asked for")
    unpacker = zlib.decompressobj(PACKED[packing]) if PACKED[packing] else None
    came, body = 0, bytearray()
    async for chunk in chunks:
        came += len(chunk)
        try:
            body += unpacker.decompress(chunk, most_bytes - len(body) + 1) if unpacker else chunk
        except zlib.error as exc:
            raise ToolOutputError("the body cannot be unpacked") from exc
        if max(came, len(body)) > most_bytes:
            raise ToolOutputError(f"the body is larger than {most_bytes} bytes; it was not read to its end")
    if unpacker is not None and came and (unpacker.unused_data or not unpacker.eof):
        raise ToolOutputError("the body does not end where its packing does")
    return bytes(body)


def decoded(body: bytes, charset: str, *, told: bool) -> str:
    """Return a body as text; wrong bytes become U+FFFD.

    Args:
        body: The bytes.
        charset: As it was told, "" for UTF-8.
        told: A content type was told; without one the body must be UTF-8.

    Raises:
        ToolOutputError: No content type was told and the body is no text.
    """
    if not told and (b"\0" in body or not _is_utf8(body)):
        raise ToolOutputError("the body is no text, and its kind was not told")
    return body.decode(_codec(charset), errors="replace").removeprefix("\ufeff")


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _codec(charset: str) -> str:
    try:
        name = codecs.lookup(charset[:40]).name if charset.isascii() and charset.isprintable() else "utf-8"
    except LookupError:
        return "utf-8"
    return name if name.startswith(_CODECS) else "utf-8"
