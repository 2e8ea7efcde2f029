"""Files and piped text that come with a question: short ones whole, of long ones the parts that matter."""

from hashlib import sha256
from pathlib import Path

import anyio
from anyio import to_thread

from ourcli.app.requests import AskRequest
from ourcli.common.errors import InvalidInputError
from ourcli.core.prompt import Attachment, Evidence
from ourcli.memory.ingest.formats import DOCUMENTS, format_of
from ourcli.memory.ingest.ports import Chunk, Chunker
from ourcli.memory.ports import Embedder
from ourcli.memory.record import Source

WHOLE_CHARS = 4_000
"""Texts up to this length, together, go into the prompt whole."""
MOST_BYTES = 8_000_000
_MOST_CHUNKS = 256
_BEST_CHUNKS = 6
_PIPED = "piped text"
_WHOLE_RECIPES = frozenset({"summarise"})


class Attachments:
    """Reads what is given along with a question.

    Args:
        embedder: Ranks the parts of long texts against the question.
        chunker: Cuts them.
    """

    def __init__(self, embedder: Embedder, chunker: Chunker) -> None:
        self._embedder = embedder
        self._chunker = chunker

    async def read(self, request: AskRequest) -> tuple[tuple[Attachment, ...], tuple[Evidence, ...]]:
        """Return the texts that go in whole, and the ranked parts of those that are too long for that.

        Raises:
            InvalidInputError: A file cannot be read, or is no text.
        """
        texts = [(path, await _read(path)) for path in request.files]
        if request.attachment.strip():
            texts.append((Path(_PIPED), request.attachment))
        short = sum(len(text) for _, text in texts) <= WHOLE_CHARS
        if short or request.recipe in _WHOLE_RECIPES:
            return tuple(Attachment(name=path.name, text=text) for path, text in texts), ()
        pieces = [piece for path, text in texts for piece in await self._ranked(request.text, path, text)]
        pieces.sort(key=lambda piece: piece.score, reverse=True)
        return (), tuple(pieces[:_BEST_CHUNKS])

    async def _ranked(self, question: str, path: Path, text: str) -> list[Evidence]:
        chunks = (await to_thread.run_sync(self._chunker.chunks, path, text))[:_MOST_CHUNKS]
        if not chunks:
            return []
        asked = await self._embedder.embed_query(question)
        scores = await self._embedder.embed_passages([chunk.text for chunk in chunks]) @ asked
        digest = sha256(text.encode("utf-8", "replace")).hexdigest()
        return [_evidence(path, digest, chunk, float(score)) for chunk, score in zip(chunks, scores, strict=True)]


def _evidence(path: Path, digest: str, chunk: Chunk, score: float) -> Evidence:
    place = f":{chunk.lines[0]}-{chunk.lines[1]}" if chunk.lines else ""
    return Evidence(
        key=f"{path}{place}",
        text=chunk.text,
        score=max(0.0, score),
        label=f"{path.name}{place}",
        source=Source(uri=str(path), lines=chunk.lines, sha256=digest),
    )


async def _read(path: Path) -> str:
    try:
        async with await anyio.open_file(path, "rb") as stream:
            raw = await stream.read(MOST_BYTES + 1)
    except OSError as exc:
        raise InvalidInputError(f"cannot read {str(path)!r}: {exc.strerror or exc}") from exc
    if len(raw) > MOST_BYTES:
        raise InvalidInputError(f"{str(path)!r} is larger than {MOST_BYTES // 1_000_000} MB", hint="ingest it instead")
    if format_of(path) in DOCUMENTS:
        raise InvalidInputError(f"{str(path)!r} is not a text file", hint="read it into memory: `ourcli ingest PATH`")
    if b"\0" in raw[:8192]:
        raise InvalidInputError(f"{str(path)!r} is not a text file", hint="give a text file")
    return raw.decode("utf-8", "replace")
