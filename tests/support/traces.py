"""Looks for what must be gone: a byte search through every file of a folder."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from ourcli.memory.vectors import Vector

_VECTOR_BYTES = 32
"""So many bytes of a vector are enough to know it by."""


def forms(text: str) -> set[bytes]:
    """Return a text as it may stand in a file: UTF-8, UTF-16 both ways, in JSON and in Python's escapes."""
    escaped = json.dumps(text)[1:-1]
    return {
        text.encode(),
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
        escaped.encode(),
        json.dumps(escaped)[1:-1].encode(),
        text.encode("unicode_escape"),
    }


def traces(folder: Path, texts: Sequence[str], vectors: Sequence[Vector] = (), *, ids: Sequence[str] = ()) -> list[str]:
    """Return `FILE: WHAT` for every file under a folder that holds a text, one of its words in any case, or a vector.

    Words shorter than six letters are left out, so give texts with words of their own. Ids are looked for as a whole.
    """
    wanted = {form: text for text in (*texts, *ids) for form in forms(text)}
    words = {word for text in texts for word in re.findall(r"\w{6,}", text)}
    wanted |= {form: word for word in words for form in forms(word)}
    for number, vector in enumerate(vectors):
        data = vector.astype("<f4").tobytes()
        wanted |= {data[:_VECTOR_BYTES]: f"vector {number}", data[-_VECTOR_BYTES:]: f"vector {number}"}
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            lowered = content.lower()
            hits = {what for form, what in wanted.items() if form in content or form.lower() in lowered}
            found += [f"{path.relative_to(folder)}: {what}" for what in sorted(hits)]
    return found
