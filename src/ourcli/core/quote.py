"""Quotes the part of the evidence that speaks to a question, word for word, with its citation number."""

from collections.abc import Sequence

from ourcli.common.meaning import words_of
from ourcli.common.sentences import spans
from ourcli.core.prompt import PackedEvidence

MOST_QUOTES = 3
"""How many pieces of evidence are quoted unless the caller says otherwise."""
WHOLE_CHARS = 400
"""A record up to this length is quoted whole."""
_WINDOW_CHARS = 480


def quote(evidence: Sequence[PackedEvidence], question: str, *, most: int = MOST_QUOTES) -> str:
    """Return Markdown block quotes of at most `most` pieces of evidence, each ending with its number.

    Short records are quoted whole; of longer ones the run of sentences that shares most words with the question,
    with `…` where something was left out. The evidence's own text is quoted, not what was cut for the model.
    """
    return "\n\n".join(_block(one, question) for one in evidence[:most])


def _block(one: PackedEvidence, question: str) -> str:
    lines = f"{excerpt(one.evidence.text.strip(), question)} [{one.number}]".splitlines()
    return "\n".join(f"> {line}".rstrip() for line in lines)


def excerpt(text: str, question: str, *, whole_chars: int = WHOLE_CHARS) -> str:
    """Return `text` when it is short, else the part that speaks to the question, word for word."""
    if len(text) <= whole_chars:
        return text
    pieces = spans(text) or [(0, len(text))]
    asked = words_of(question)
    shared = [asked & words_of(text[start:end]) for start, end in pieces]
    start, end = max(_windows(pieces, shared), key=lambda one: one[0])[1]
    found = text[start : min(end, start + 2 * _WINDOW_CHARS)]
    before = "… " if start > 0 else ""
    after = " …" if start + len(found) < len(text.rstrip()) else ""
    return f"{before}{found.rstrip()}{after}"


def _windows(
    pieces: Sequence[tuple[int, int]], shared: Sequence[set[str]]
) -> list[tuple[tuple[int, int, int], tuple[int, int]]]:
    """Return every run of pieces that fits the window, from each start, with what makes one better.

    Better is: more of the question's words; the first piece holds some of them; earlier in the text.
    """
    windows = []
    for first, (start, first_end) in enumerate(pieces):
        seen, end = set(shared[first]), first_end
        for later in range(first + 1, len(pieces)):
            if pieces[later][1] - start > _WINDOW_CHARS:
                break
            seen |= shared[later]
            end = pieces[later][1]
        windows.append(((len(seen), len(shared[first]), -first), (start, end)))
    return windows
