"""Lines of JSON-RPC: whatever comes, it ends in messages or in one error in words."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.common.errors import ToolOutputError
from ourcli.tools.backends.wasm.conversation import Conversation
from ourcli.tools.data import BadJsonError, Json, depth, dump, parse
from ourcli.tools.ports import unheard
from ourcli.tools.protocol import Answer, Failure, Lines, Question, read, request
from tests.promises import promise

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@promise("tools.protocol.bounded")
@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"x", b"\xff\xfe", b'{"a":1', b"NaN", b'{"jsonrpc":"2.0","id":1,"result":Infinity}', b"[" * 100_000),
        *(b"[" * 65 + b"]" * 65, b'{"a":' * 65 + b"1" + b"}" * 65, b'{"a":1,"a":2}', b'"\\ud800"', b"1" * 5000),
    ],
    ids=lambda line: repr(line[:20]),
)
def test_what_is_no_json_that_all_readers_agree_on_is_refused(line: bytes) -> None:
    with pytest.raises(BadJsonError):
        parse(line)


@promise("tools.protocol.bounded")
@pytest.mark.parametrize(
    "message",
    [
        *(1, [], {}, {"jsonrpc": "1.0", "id": 1, "result": 1}, {"jsonrpc": "2.0", "id": 1}),
        *({"jsonrpc": "2.0", "result": 1}, {"jsonrpc": "2.0", "id": None, "result": 1}),
        *({"jsonrpc": "2.0", "id": True, "result": 1}, {"jsonrpc": "2.0", "id": 1.5, "result": 1}),
        *({"jsonrpc": "2.0", "id": [1], "result": 1}, {"jsonrpc": "2.0", "id": "x" * 65, "result": 1}),
        *({"jsonrpc": "2.0", "id": 1, "result": 1, "error": {"code": 1, "message": ""}},),
        *({"jsonrpc": "2.0", "id": 1, "method": "m", "result": 1}, {"jsonrpc": "2.0", "id": 1, "error": "no"}),
        *({"jsonrpc": "2.0", "id": 1, "error": {"code": True, "message": ""}}, {"jsonrpc": "2.0", "method": 1}),
        *({"jsonrpc": "2.0", "method": "m", "params": [1]}, {"jsonrpc": "2.0", "id": 1, "error": {"code": 1}}),
    ],
    ids=repr,
)
def test_what_is_no_message_of_the_protocol_is_refused(message: Json) -> None:
    with pytest.raises(ToolOutputError):
        read(dump(message))


def test_messages_are_read() -> None:
    assert read(b'{"jsonrpc":"2.0","id":"a","result":null}') == Answer(id="a", result=None)
    assert read(b'{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m"}}') == Failure(id=1, code=-1, message="m")
    assert read(b'{"jsonrpc":"2.0","method":"n"}') == Question(id=None, method="n", params={})


@given(JSON)
def test_what_is_written_reads_back(value: Json) -> None:
    if depth(value) <= 64:
        assert parse(dump(value)) == value


@given(st.integers(), st.text(), st.dictionaries(st.text(), JSON, max_size=3))
def test_a_request_is_one_line_whatever_is_in_it(identifier: int, method: str, params: dict[str, Json]) -> None:
    line = request(identifier, method, params)

    assert line.count(b"\n") == 1
    assert json.loads(line) == {"jsonrpc": "2.0", "id": identifier, "method": method, "params": params}


@promise("tools.protocol.bounded")
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_that_is_too_long_is_refused_before_its_end_is_seen(end: bytes) -> None:
    lines = Lines(10)
    lines.feed(b"01234567890" + end)

    with pytest.raises(ToolOutputError, match="more than 10 bytes"):
        lines.next()


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line), max_size=8), st.data())
def test_lines_come_out_however_they_are_cut(whole: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(line + b"\n" for line in whole)
    lines, found = Lines(20), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        lines.feed(stream[:size])
        stream = stream[size:]
        while (line := lines.next()) is not None:
            found.append(line)

    assert found == [line for line in whole if line.strip()]
    assert not lines.pending


@promise("tools.protocol.any-bytes")
@given(st.lists(st.binary(max_size=200), max_size=10))
def test_whatever_bytes_come_a_conversation_goes_on_or_ends_in_one_error(pieces: list[bytes]) -> None:
    assert outcome(pieces).isprintable()


def outcome(pieces: list[bytes]) -> str:
    talk = Conversation(500, lambda _line: None)
    talk.ask(1, unheard)
    try:
        for piece in pieces:
            talk.hear(piece)
            talk.hear_log(piece)
    except ToolOutputError as exc:
        return exc.message
    return "it goes on"


@promise("tools.protocol.one-answer")
@pytest.mark.parametrize(
    "lines",
    [
        [b'{"jsonrpc":"2.0","id":2,"result":{}}'],
        [b'{"jsonrpc":"2.0","id":"1","result":{}}'],
        [b'{"jsonrpc":"2.0","id":1,"result":{}}', b'{"jsonrpc":"2.0","id":1,"result":{}}'],
        [b'{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m"}}'],
    ],
)
def test_an_answer_counts_once_and_for_its_question_only(lines: list[bytes]) -> None:
    talk = Conversation(1000, lambda _line: None)
    talk.ask(1, unheard)

    with pytest.raises(ToolOutputError):
        talk.hear(b"\n".join(lines) + b"\n")


@promise("tools.protocol.one-answer")
@pytest.mark.parametrize("before", [b'{"jsonrpc":"2.0","id":1,"result":{}}\n', b'{"jsonrpc'])
def test_what_comes_before_the_question_is_refused(before: bytes) -> None:
    talk = Conversation(1000, lambda _line: None)

    with pytest.raises(ToolOutputError, match="before it was asked"):
        _hear_then_ask(talk, before)


def _hear_then_ask(talk: Conversation, before: bytes) -> None:
    talk.hear(before)
    talk.ask(1, unheard)


@promise("tools.protocol.bounded")
def test_a_guest_cannot_call_the_host_without_end() -> None:
    replies: list[bytes] = []
    talk = Conversation(1_000_000, replies.append)
    talk.ask(1, unheard)

    with pytest.raises(ToolOutputError, match="called the host"):
        talk.hear(b'{"jsonrpc":"2.0","id":1,"method":"host/fetch"}\n' * 1001)

    assert len(replies) == 1000
    assert b"-32601" in replies[0]
