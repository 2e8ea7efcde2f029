"""JSON-RPC 2.0 in lines (one message a line, UTF-8), as MCP's stdio transport has it: pure, and bounded everywhere.

Whoever is on the other end is not trusted: a line has a longest length, a message a deepest nesting, and an answer
counts only for the question whose id it carries.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ourcli.common.errors import ToolOutputError
from ourcli.tools.data import BadJsonError, Json, JsonObject, dump, parse

VERSION = "2.0"
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
MOST_ID_CHARACTERS = 64

Id = int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The good end of a question."""

    id: Id
    result: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The bad end of a question.

    Attributes:
        id: Of the question, or None when the other end could not tell.
        code: As JSON-RPC numbers them.
        message: In words of the other end.
    """

    id: Id | None
    code: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request of the other end; `id` is None for a notification, which wants no answer."""

    id: Id | None
    method: str
    params: JsonObject


Message = Answer | Failure | Question


def request(id: Id, method: str, params: JsonObject) -> bytes:  # noqa: A002  # the protocol's word
    """Return a request as a line."""
    return dump({"jsonrpc": VERSION, "id": id, "method": method, "params": dict(params)}) + b"\n"


def success(id: Id, result: JsonObject) -> bytes:  # noqa: A002  # the protocol's word
    """Return a result as the answer to `id`, as a line."""
    return dump({"jsonrpc": VERSION, "id": id, "result": dict(result)}) + b"\n"


def refusal(id: Id, code: int, message: str) -> bytes:  # noqa: A002  # the protocol's word
    """Return an error as the answer to `id`, as a line."""
    return dump({"jsonrpc": VERSION, "id": id, "error": {"code": code, "message": message}}) + b"\n"


def read(line: bytes) -> Message:
    """Return the message of one line.

    Raises:
        ToolOutputError: It is no message of JSON-RPC 2.0.
    """
    try:
        value = parse(line)
    except BadJsonError as exc:
        raise ToolOutputError(f"the tool wrote a line that is no JSON: {exc}") from exc
    if not isinstance(value, dict) or value.get("jsonrpc") != VERSION:
        raise ToolOutputError("the tool wrote JSON that is no message of JSON-RPC 2.0")
    kinds = [word for word in ("result", "error", "method") if word in value]
    if len(kinds) != 1:
        raise ToolOutputError("the tool wrote a message that is not exactly one of request, result and error")
    if kinds == ["method"]:
        return _question(value)
    if kinds == ["error"]:
        return _failure(value)
    identifier = _identifier(value)
    if identifier is None:
        raise ToolOutputError("the tool wrote a result without an id")
    return Answer(id=identifier, result=value["result"])


def _question(value: Mapping[str, Json]) -> Question:
    method, params = value["method"], value.get("params", {})
    if not isinstance(method, str) or not isinstance(params, dict):
        raise ToolOutputError("the tool wrote a request whose method is no text or whose params are no object")
    return Question(id=_identifier(value), method=method, params=params)


def _failure(value: Mapping[str, Json]) -> Failure:
    error = value["error"]
    code = error.get("code") if isinstance(error, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    if not isinstance(code, int) or isinstance(code, bool) or not isinstance(message, str):
        raise ToolOutputError("the tool wrote an error without a code and a message")
    return Failure(id=_identifier(value), code=code, message=message)


def _identifier(value: Mapping[str, Json]) -> Id | None:
    found = value.get("id")
    if found is None or (isinstance(found, int) and not isinstance(found, bool)):
        return found
    if isinstance(found, str) and len(found) <= MOST_ID_CHARACTERS:
        return found
    raise ToolOutputError("the tool wrote a message whose id is neither a whole number nor a short text")


class Lines:
    """Cut a stream of bytes into lines.

    Args:
        most_bytes: A line's longest length without its end.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        self._held += data

    def next(self) -> bytes | None:
        """Return the next whole line without its end, or None until more was fed; empty lines are passed over.

        Raises:
            ToolOutputError: The line is too long, whether or not its end was seen.
        """
        while (end := self._held.find(b"\n", self._searched)) >= 0:
            line = bytes(self._held[:end])
            del self._held[: end + 1]
            self._searched = 0
            if len(line) > self._most:
                raise self._too_long()
            if line.strip():
                return line
        if len(self._held) > self._most:
            raise self._too_long()
        self._searched = len(self._held)
        return None

    def _too_long(self) -> ToolOutputError:
        return ToolOutputError(
            f"the tool wrote more than {self._most} bytes in one answer",
            hint="its manifest can allow more with limits.output_bytes",
        )

    @property
    def pending(self) -> bool:
        """Say whether bytes are held that no line was made of yet."""
        return bool(self._held)
