"""Show an answer: progress while it is made, its text as it comes, then what it stands on."""

from types import TracebackType
from typing import Self

from ourcli.app.requests import Answer, Citation
from ourcli.cli.amounts import shortened
from ourcli.cli.diagnostics import Diagnostics
from ourcli.cli.markdown import MarkdownStream
from ourcli.cli.output import Output
from ourcli.cli.progress import ProgressBars
from ourcli.common.events import AnswerTextProduced, Event
from ourcli.memory.record import Source

_SHOWN_CHARS = 100


class AnswerView:
    """An event sink that streams an answer; a context manager that leaves the terminal clean.

    Args:
        output: Where the answer goes.
        diagnostics: Where progress and notices go.
        streaming: Show the text as it comes; False for `--json`.
    """

    def __init__(self, output: Output, diagnostics: Diagnostics, *, streaming: bool = True) -> None:
        self._output = output
        self._diagnostics = diagnostics
        self._streaming = streaming
        self._progress = ProgressBars(diagnostics)
        self._stream = MarkdownStream(output)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.close()
        self._stream.close()

    def emit(self, event: Event) -> None:
        """Take one event: text is shown, progress is drawn, the rest is dropped."""
        if not isinstance(event, AnswerTextProduced):
            self._progress.emit(event)
        elif self._streaming:
            self._progress.close()
            self._stream.feed(event.text)

    def finish(self, answer: Answer) -> None:
        """Show what of the answer was not streamed, its citations, and its notices."""
        self._progress.close()
        self._complete(answer.answer)
        self._stream.close()
        if answer.citations:
            self._output.text("")
        for citation in answer.citations:
            self._output.text(cited(citation))
        for notice in answer.notices:
            self._diagnostics.notice(notice)

    def _complete(self, answer: str) -> None:
        """Feed the rest of the answer; when the final text differs from what streamed, show it whole."""
        streamed = self._stream.received
        if answer.startswith(streamed):
            self._stream.feed(answer[len(streamed) :])
        elif answer.strip() != streamed.strip():
            self._stream.close()
            self._stream = MarkdownStream(self._output)
            self._output.text("\n(checked answer)\n")
            self._stream.feed(answer)


def cited(citation: Citation) -> str:
    """Return the line of a citation: number, layer, score, place, beginning of the text."""
    place = f"  {place_of(citation.source)}" if citation.source else ""
    return (
        f"[{citation.number}] {citation.layer}  {citation.score:.2f}{place}  {shortened(citation.text, _SHOWN_CHARS)}"
    )


def place_of(source: Source | None) -> str:
    """Return `file:first-last`, `file page N`, the URI alone where neither means anything, or ""."""
    if source is None:
        return ""
    if source.page is not None:
        return f"{source.uri} page {source.page}"
    return f"{source.uri}:{source.lines[0]}-{source.lines[1]}" if source.lines else source.uri
