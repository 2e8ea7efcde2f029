"""Shorter records: a decision reduced to what carries it, and several records summed up in one.

A language model writes them where one is there that can be trusted with it, and what it wrote is checked against
the sources; otherwise, and where the check fails, they are the sources' own sentences. A record keeps its trust: its
words are still those of its source.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ourcli.common.ids import RecordId, new_id
from ourcli.memory.ledger import Image
from ourcli.memory.lifecycle.extract import carrying
from ourcli.memory.lifecycle.faithful import invented, passed_over, turned
from ourcli.memory.policy.loops import SUMMARY_KIND
from ourcli.memory.ports import Embedder, Writer
from ourcli.memory.record import Record, Trust

_LOG = logging.getLogger(__name__)
DISTILLED_CHARS = 600
"""Most characters of a distilled record."""
SUMMARY_CHARS = 1_500
"""Most characters of a summary; the embedding model reads about 1,200 of them, the text index all."""
_READ_CHARS = 1_600
"""Of a longer source only the sentences that carry it are handed to the writer."""
_MOST_TAGS = 32
_DISTIL = (
    "Reduce the text below to the decision in it, with its numbers, names and reasons. Use the words of the text. "
    "Leave out greetings, thanks, questions and whatever is no part of the decision. Add nothing."
)
_SUM_UP = (
    "Sum up the numbered notes below: one short sentence for each, with its numbers and names. "
    "Use the words of the notes. Add nothing."
)


class Distiller:
    """Makes shorter records; reads them only, writes nothing.

    Args:
        writer: Writes texts, or None: then sentences are taken from the sources.
        embedder: Makes the vectors of new texts.
    """

    def __init__(self, writer: Writer | None, embedder: Embedder) -> None:
        self._writer = writer
        self._embedder = embedder

    async def distilled(self, image: Image) -> Image:
        """Return the record with what carries its decision only; the same image when there is nothing to leave out.

        Raises:
            ModelError: The vector of the new text cannot be made.
        """
        record = image.record
        extracted = carrying(record.text, DISTILLED_CHARS)
        if extracted == record.text.strip():
            return image
        text = await self._written(_DISTIL, [record.text], extracted)
        return await self._embedded(replace(record, text=text))

    async def summary(self, images: Sequence[Image], at: datetime) -> Image:
        """Return a new record that sums others up and names them as its parents.

        It is as old as the newest of them and as little trusted as the least trusted.

        Args:
            images: At least one, of one project.
            at: The time part of the new record's id.

        Raises:
            ModelError: Its vector cannot be made.
        """
        records = [image.record for image in images]
        texts = list(dict.fromkeys(record.text.strip() for record in records))
        text = extracted = _extracted(texts)
        if [text] != texts:
            text = await self._written(_SUM_UP, texts, extracted)
        return await self._embedded(_summary_record(records, text, at))

    async def _written(self, instruction: str, sources: Sequence[str], extracted: str) -> str:
        """Return what the writer wrote when it is shorter than the sources' own sentences and holds against them.

        Args:
            instruction: What the text is to be.
            sources: What it is made from.
            extracted: The sources' own sentences; returned otherwise.
        """
        if self._writer is None:
            return extracted
        shown = [text if len(text) <= _READ_CHARS else carrying(text, _READ_CHARS) for text in sources]
        written = await self._writer.write(instruction, shown, max(len(extracted), DISTILLED_CHARS))
        if not written or not written.strip():
            return extracted
        if faults := _faults(written.strip(), sources, len(extracted)):
            _LOG.info("a written text was dropped for the sources' own sentences: %s", faults)
            return extracted
        return written.strip()

    async def _embedded(self, record: Record) -> Image:
        (vector,) = await self._embedder.embed_passages([record.text])
        return Image(record=replace(record, model=self._embedder.digest), vector=vector)


def _faults(text: str, sources: Sequence[str], max_chars: int) -> str:
    """Return what is wrong with a written text, without its words, or ""."""
    told = [
        (len(text) > max_chars, "it is longer than their own sentences"),
        (bool(invented(text, sources)), "it holds a number or name that no source has"),
        (turned(text, sources), "it negates where the sources do not, or the other way round"),
        (bool(passed_over(text, [carrying(source, len(source)) for source in sources])), "it passes a source over"),
    ]
    return ", ".join(words for wrong, words in told if wrong)


def _extracted(texts: Sequence[str]) -> str:
    """Return each text's own sentences, a line each; what short texts leave of a summary's length long ones take."""
    left = SUMMARY_CHARS
    pieces: dict[str, str] = {}
    for done, text in enumerate(sorted(texts, key=len)):
        pieces[text] = carrying(text, left // (len(texts) - done) - 1)
        left -= len(pieces[text]) + 1
    return "\n".join(dict.fromkeys(pieces[text] for text in texts))


def _summary_record(records: Sequence[Record], text: str, at: datetime) -> Record:
    tags = Counter(tag for record in records for tag in record.tags)
    return Record(
        id=RecordId(new_id(at)),
        text=text,
        layer=records[0].layer,
        ts=max(record.ts for record in records),
        kind=SUMMARY_KIND,
        tags=tuple(tag for tag, _ in tags.most_common(_MOST_TAGS)),
        project=records[0].project,
        session=_shared([record.session for record in records]),
        speaker=_shared([record.speaker for record in records]),
        parents=tuple(record.id for record in records),
        trust=max((record.trust for record in records), key=list(Trust).index),
    )


def _shared(values: Sequence[str]) -> str:
    """Return what all have in common, or ""."""
    return values[0] if len(set(values)) == 1 else ""
