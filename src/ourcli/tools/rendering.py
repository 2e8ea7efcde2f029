"""A tool's answer as text for people, prompts and records: short, and harmless on a terminal."""

from collections.abc import Iterator, Mapping

from ourcli.tools.data import Json, JsonObject, dump
from ourcli.tools.logtext import harmless

MOST_CHARS = 4_000
"""So much of an answer is shown, cited and remembered."""
_MOST_LINES = 200


def rendered(output: JsonObject, *, most_chars: int = MOST_CHARS) -> str:
    """Return an answer as lines of `name: value`, texts as they are, cut at `most_chars` with a word about it.

    Escape sequences, control, direction and invisible characters are taken out.
    """
    text = "\n".join(_lines(output)) or "(nothing)"
    return text if len(text) <= most_chars else f"{text[:most_chars].rstrip()}\n… (cut)"


def called(input: JsonObject, *, most_chars: int = MOST_CHARS // 4) -> str:  # noqa: A002  # the design's word
    """Return what a tool was given, as one harmless line of JSON."""
    text = harmless(dump(input).decode())
    return text if len(text) <= most_chars else f"{text[:most_chars]} …"


def _lines(output: JsonObject) -> Iterator[str]:
    for name, value in output.items():
        first, *rest = _text(value)[: MOST_CHARS * 2].splitlines() or [""]
        yield f"{harmless(name)}: {harmless(first)}" if not rest else f"{harmless(name)}:"
        if rest:
            yield from (harmless(line) for line in (first, *rest)[:_MOST_LINES])


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(item)}" for name, item in value.items())
    if isinstance(value, list):
        return "\n".join(_text(item) for item in value[:_MOST_LINES]) or "none"
    return _plain(value)


def _plain(value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None or isinstance(value, list | Mapping):
        return dump(value).decode()
    return str(value)
