"""The bearer token of the HTTP server: made once, kept in a file that its owner alone can read."""

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from ourcli.common.errors import StoreError
from ourcli.common.files import atomic_write

_BYTES: Final = 32
_CHARACTERS: Final = 43
"""Of 32 bytes in URL-safe base64 without padding."""


def read_or_make(path: Path) -> str:
    """Return the token in a file; make a new one where there is none, or where others could have read it.

    Raises:
        StoreError: The file cannot be read or written.
    """
    try:
        return _kept(path) or _made(path)
    except OSError as exc:
        raise StoreError(
            f"the token {str(path)!r} cannot be read: {exc.strerror or exc}", hint="look at its owner, or remove it"
        ) from exc


def _kept(path: Path) -> str:
    if not path.is_file():
        return ""
    found = path.stat()
    if os.name == "posix" and (found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077):
        return ""
    token = path.read_text("ascii", errors="replace").strip()
    return token if len(token) == _CHARACTERS and token.isascii() else ""


def _made(path: Path) -> str:
    token = secrets.token_urlsafe(_BYTES)
    with atomic_write(path) as stream:
        stream.write(token.encode() + b"\n")
    return token
