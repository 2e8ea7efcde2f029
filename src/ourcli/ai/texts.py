"""What happens to texts before a model sees them: made well-formed, and grouped into small batches."""

from collections.abc import Iterator, Sequence

SLICE_CHARS = 4096
"""About 0.1 s of work for a small model on two cores: the longest wait before a cancel or a question gets through."""

SLICE_TEXTS = 64


def well_formed(text: str) -> str:
    """Return `text` as valid Unicode: surrogate pairs joined, lone surrogates (bytes that were not UTF-8) as U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def slices_by_length(texts: Sequence[str]) -> Iterator[list[int]]:
    """Yield positions in `texts`, shortest texts first, in slices of bounded size.

    A slice holds at most `SLICE_TEXTS` texts, and at most `SLICE_CHARS` characters when each counts as its
    longest, so that padding never costs much; a longer text stands alone.
    """
    batch: list[int] = []
    for position in sorted(range(len(texts)), key=lambda index: len(texts[index])):
        full = len(texts[position]) * (len(batch) + 1) > SLICE_CHARS or len(batch) >= SLICE_TEXTS
        if batch and full:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch
