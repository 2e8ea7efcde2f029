"""Patterns of file names, as in `.gitignore`: `*`, `?`, `[ab]`, `{a,b}` and `**` over folders.

One without a slash is held against the name alone, another one against the path from where the walk began. They become
expressions of a linear-time engine, so no pattern can take long.
"""

from collections.abc import Callable
from typing import Final

from ourcli.tools.backends.builtin.given import refused
from ourcli.tools.backends.builtin.regex import compiled

MOST_CHARACTERS: Final = 256
_TOKENS: Final = (("**/", "(?:[^/]*/)*"), ("**", ".*"), ("*", "[^/]*"), ("?", "[^/]"))


def matcher(pattern: str, name: str = "glob") -> Callable[[str], bool]:
    """Return what says whether a relative path fits.

    Raises:
        ToolInputError: The pattern is not valid; the message calls it `name`.
    """
    whole = pattern.strip("/")
    if not whole or len(whole) > MOST_CHARACTERS or "\0" in whole:
        raise refused(name, f"is no pattern of up to {MOST_CHARACTERS} characters")
    anywhere = "/" not in pattern.rstrip("/")
    search = compiled(f"^(?:{_translated(whole, name)})$", name)
    return lambda path: search(path.rpartition("/")[2].encode() if anywhere else path.encode())


def _translated(pattern: str, name: str) -> str:
    out, at, braces = "", 0, 0
    while at < len(pattern):
        piece, step, braces = _piece(pattern, at, braces, name)
        out += piece
        at += step
    if braces:
        raise refused(name, "opens a brace and does not close it")
    return out


def _piece(pattern: str, at: int, braces: int, name: str) -> tuple[str, int, int]:
    """Return the expression of what stands at a place, its length, and how many braces are open after it."""
    for token, piece in _TOKENS:
        if pattern.startswith(token, at):
            return piece, len(token), braces
    character = pattern[at]
    if character == "[":
        return (*_choice(pattern, at, name), braces)
    if character == "{":
        return "(?:", 1, braces + 1
    closing = {"}": ")", ",": "|"}.get(character) if braces else None
    return closing or _plain(character), 1, braces - (character == "}" and braces > 0)


def _choice(pattern: str, at: int, name: str) -> tuple[str, int]:
    end = pattern.find("]", at + 2)
    if end < 0:
        raise refused(name, "opens a bracket and does not close it")
    inside = pattern[at + 1 : end]
    sign, inside = ("^/", inside[1:]) if inside[0] in "!^" else ("", inside)
    return f"[{sign}{''.join(one if one == '-' else _plain(one) for one in inside)}]", end - at + 1


def _plain(character: str) -> str:
    return character if character.isalnum() or ord(character) > 127 else f"\\x{ord(character):02x}"
