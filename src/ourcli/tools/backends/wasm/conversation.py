"""One call to a guest, seen from the host: what was asked, what came, what is wrong. Pure; no pipe is touched."""

from collections import deque
from collections.abc import Callable
from typing import Final

from ourcli.common.errors import (
    OurcliError,
    PluginError,
    ToolCrashedError,
    ToolError,
    ToolOutputError,
    ToolTimeoutError,
)
from ourcli.tools.backends.wasm.orders import FAILED, Report
from ourcli.tools.data import Json
from ourcli.tools.host_services import LOG, no_such_method
from ourcli.tools.logtext import LogLines, harmless
from ourcli.tools.ports import unheard
from ourcli.tools.protocol import Answer, Failure, Id, Lines, Message, Question, read, success

MOST_LOG_LINES: Final = 500
MOST_HOST_CALLS: Final = 1000
_LOG_METHODS: Final = ("notifications/message", LOG)


class Conversation:
    """What a guest says: answers to one question at a time, requests to the host meanwhile, and lines of log.

    Attributes:
        answer: What it answered to the present question.
        requests: What it asked of the host and was not answered yet.

    Args:
        most_bytes: What it may write in one call, on each stream.
        reply: Takes a line for the guest.
    """

    def __init__(self, most_bytes: int, reply: Callable[[bytes], None]) -> None:
        self._most, self._reply = most_bytes, reply
        self._lines, self._log_lines = Lines(most_bytes), LogLines()
        self.asked: Id | None = None
        self.answer: Answer | Failure | None = None
        self.requests: deque[tuple[Id, Question]] = deque()
        self._begin(None, unheard)

    def _begin(self, asked: Id | None, log: Callable[[str], None], *, served: bool = False) -> None:
        self.asked, self.answer, self._log, self._served = asked, None, log, served
        self.requests.clear()
        self._written = self._noted = self._told = self._host_calls = 0

    def ask(self, identifier: Id, log: Callable[[str], None], *, served: bool = False) -> None:
        """Begin a call; `served` says that somebody answers what it asks of the host.

        Raises:
            ToolOutputError: Half a line is left of what was said before.
        """
        if self._lines.pending:
            raise ToolOutputError("the tool wrote before it was asked")
        self._begin(identifier, log, served=served)

    def finish(self) -> None:
        """End a call; what comes now was not asked for."""
        for line in self._log_lines.end():
            self._tell(line)
        self._begin(None, unheard)

    def hear(self, data: bytes) -> None:
        """Take bytes of the guest's stdout.

        Raises:
            ToolOutputError: They break the protocol or a limit.
        """
        self._written += len(data)
        if self._written > self._most:
            raise self._too_much("stdout")
        self._lines.feed(data)
        while (line := self._lines.next()) is not None:
            self._take(read(line))

    def hear_log(self, data: bytes) -> None:
        """Take bytes of the guest's stderr.

        Raises:
            ToolOutputError: They are too many.
        """
        self._noted += len(data)
        if self._noted > self._most:
            raise self._too_much("stderr")
        for line in self._log_lines.feed(data):
            self._tell(line)

    def _too_much(self, stream: str) -> ToolOutputError:
        return ToolOutputError(
            f"the tool wrote more than {self._most} bytes to {stream}",
            hint="its manifest can allow more with limits.output_bytes",
        )

    def _take(self, message: Message) -> None:
        if isinstance(message, Question):
            self._host_call(message)
        elif self.asked is None:
            raise ToolOutputError("the tool answered before it was asked")
        elif message.id != self.asked:
            raise ToolOutputError("the tool answered a question that was not asked")
        elif self.answer is not None:
            raise ToolOutputError("the tool answered twice")
        else:
            self.answer = message

    def _host_call(self, question: Question) -> None:
        self._host_calls += 1
        if self._host_calls > MOST_HOST_CALLS:
            raise ToolOutputError(f"the tool called the host more than {MOST_HOST_CALLS} times")
        if question.method in _LOG_METHODS:
            self._tell(harmless(_text(question.params.get("data", question.params.get("message")))))
        if question.id is None:
            return
        if self.asked is None or self.answer is not None:
            raise ToolOutputError("the tool asked the host for something outside a call")
        if question.method in _LOG_METHODS:
            self._reply(success(question.id, {}))
        elif self._served:
            self.requests.append((question.id, question))
        else:
            self._reply(no_such_method(question, question.id))

    def _tell(self, line: str) -> None:
        self._told += 1
        if self._told <= MOST_LOG_LINES:
            self._log(line)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else repr(value)[:500]


def ending(report: Report, *, expired: bool, timeout_s: float) -> OurcliError:
    """Return the error of a call during which the guest ended."""
    if expired or report.why == "interrupt":
        return too_slow(timeout_s)
    if report.what == FAILED:
        return PluginError(
            f"the module cannot be run here: {harmless(report.detail)}",
            hint="`ourcli plugins check` says what it lacks; its author can say how it is built",
        )
    if report.why == "exit":
        return ToolCrashedError(
            f"the tool ended with exit code {report.code} and did not answer", hint="its log may say why: use -v"
        )
    if report.why == "out_of_fuel":
        return ToolError(
            "the tool used up its fuel and was stopped", hint="its manifest can allow more with limits.fuel"
        )
    if report.why == "stack_overflow":
        return ToolCrashedError("the tool called itself too deeply and was stopped")
    return ToolCrashedError(f"the tool crashed: {harmless(report.detail)}")


def too_slow(timeout_s: float) -> ToolTimeoutError:
    """Return the error of a call that took too long."""
    return ToolTimeoutError(
        f"the tool took longer than {timeout_s:g} s and was stopped",
        hint="its manifest can allow more with limits.timeout_ms",
    )
