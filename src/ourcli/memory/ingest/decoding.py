"""Bytes as text, where they are text."""

import codecs

from charset_normalizer import from_bytes

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decode(data: bytes) -> str | None:
    """Return the text of a file's bytes, without its byte order mark, or None when they are not text.

    UTF-8, or what a byte order mark says; else the likeliest legacy encoding, where one is likely.
    """
    try:
        for mark, encoding in _MARKS:
            if data.startswith(mark):
                return data[len(mark) :].decode(encoding)
        return None if b"\0" in data else data.decode()
    except UnicodeDecodeError:
        likeliest = None if b"\0" in data else from_bytes(data).best()
        return None if likeliest is None else str(likeliest)
