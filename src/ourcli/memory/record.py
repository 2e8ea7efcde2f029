"""The record: one remembered text with where it came from."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ourcli.common.ids import RecordId
from ourcli.memory.layers import Layer

DIMS = 384
"""Length of every stored vector; a property of the store, checked when it is opened."""


class Trust(StrEnum):
    """Who a text comes from, most trusted first."""

    USER = "user"
    MODEL = "model"
    TOOL = "tool"
    WEB = "web"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where in the world a text stands.

    Attributes:
        uri: A file's absolute path, or a URL.
        lines: First and last line, counted from 1, both included; None when lines mean nothing there.
        sha256: Hex digest of the whole file's bytes when it was read.
        page: Page or slide, counted from 1; None where there are none.
    """

    uri: str
    lines: tuple[int, int] | None
    sha256: str
    page: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One remembered text. The embedding lives in the store, not here.

    Attributes:
        id: uuid7; adding an id that exists replaces the record.
        text: What is remembered; never empty.
        layer: Where it lives.
        kind: Free word for what it is: note, decision, question, answer, document, code, ...
        tags: Free words, in the order given, no doubles.
        project: Whose memory it is; searched alone unless the user asks for all.
        session: The conversation it was said in, or "".
        ts: When it was said or written, aware UTC.
        speaker: Who said it, or "".
        turn: Place in the conversation from 0, or None.
        source: File or page, or None.
        parents: Ids of the records it was made from.
        trust: Who the text comes from.
        context: What of the conversation around it is indexed together with the text (who said it, when, and what was
            said before); "" outside of conversations. Found by, never shown as the text.
        model: Digest of the embedding model; "" until the store has embedded it.
    """

    id: RecordId
    text: str
    layer: Layer
    ts: datetime
    kind: str = "note"
    tags: tuple[str, ...] = ()
    project: str = "default"
    session: str = ""
    speaker: str = ""
    turn: int | None = None
    source: Source | None = None
    parents: tuple[RecordId, ...] = ()
    trust: Trust = Trust.USER
    context: str = ""
    model: str = ""

    @property
    def indexed(self) -> str:
        """What words are searched in: the context, then the text."""
        return f"{self.context}\n{self.text}" if self.context else self.text
