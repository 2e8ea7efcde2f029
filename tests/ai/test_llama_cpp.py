"""llama.cpp in this process: what only the real one can show."""

import http.client
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest

from ourcli.ai.backends.llama_cpp import LlamaCppModel
from ourcli.ai.backends.llama_server import LlamaServer, ServerOptions
from ourcli.ai.backends.llama_stream import AnswerStream, Piece
from ourcli.ai.ports import Finished
from ourcli.common.errors import ModelError
from tests.ai.language_models import answer, ask
from tests.promises import promise
from tests.support.tiny_gguf import make_tiny_gguf

pytestmark = pytest.mark.anyio


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return make_tiny_gguf(tmp_path / "tiny.gguf")


@asynccontextmanager
async def loaded(path: Path, *, context_tokens: int = 8192, unix_socket: bool = True) -> AsyncIterator[LlamaCppModel]:
    model = await LlamaCppModel.load(
        path, name="tiny", context_tokens=context_tokens, threads=1, verified=True, unix_socket=unix_socket
    )
    try:
        yield model
    finally:
        await model.close()


@promise("ai.llm.context-trained")
async def test_the_context_never_exceeds_what_the_model_was_trained_for(tmp_path: Path) -> None:
    small = make_tiny_gguf(tmp_path / "small.gguf", context_tokens=256)

    async with loaded(small, context_tokens=8192) as model:
        assert model.context_tokens == 256


async def test_a_prompt_that_leaves_room_for_one_token_is_answered(tiny: Path) -> None:
    async with loaded(tiny, context_tokens=512) as model:
        empty = await model.count_prompt_tokens(ask("").messages)

        _, finished = await answer(model, ask("x" * (511 - empty), max_tokens=9))
        with pytest.raises(ModelError, match="the prompt has 512 tokens"):
            await answer(model, ask("x" * (512 - empty)))

    assert (finished.input_tokens, finished.reason) == (511, "length")


@promise("ai.llm.counts-exact")
async def test_token_counts_are_those_of_the_models_own_tokenizer(tiny: Path) -> None:
    async with loaded(tiny) as model:
        assert await model.count_tokens("héllo <|im_end|>") == len("héllo <|im_end|>".encode())
        # <|im_start|>user\n  hi  <|im_end|>\n  <|im_start|>assistant\n: one token a byte, one a mark
        assert await model.count_prompt_tokens(ask("hi").messages[1:]) == (1 + 5) + 2 + (1 + 1) + (1 + 10)


@promise("ai.llm.cancel-in-prompt")
def test_a_stop_during_a_long_prompt_is_seen_after_a_batch(tiny: Path) -> None:
    server = LlamaServer(tiny, ServerOptions(context_tokens=2048, threads=1, batch_tokens=16))
    body: dict[str, object] = {
        "messages": [{"role": "user", "content": "x" * 1200}],
        "max_tokens": 5,
        "stream": True,
        "return_progress": True,
        "stream_options": {"include_usage": True},
    }
    checks = iter([False] * 4)
    pieces: list[Piece] = []

    AnswerStream(pieces.append, lambda: next(checks, True), structured=False).run(server, body)
    AnswerStream(pieces.append, lambda: False, structured=False).run(server, body)
    server.close()

    finished = pieces.pop()
    assert isinstance(finished, Finished)
    assert 0 < finished.cached_tokens <= 10 * 16
    assert finished.input_tokens > 1200


@promise("ai.llm.closes-clean")
async def test_closing_leaves_no_file_thread_socket_or_process(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = psutil.Process()

    async def once() -> None:
        async with loaded(tiny) as model:
            await answer(model, ask("hi", max_tokens=2))

    with tempfile.TemporaryDirectory() as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        await once()  # what the library keeps for good is there now
        files, threads = process.num_fds(), process.num_threads()

        await once()

        assert list(Path(short).iterdir()) == []  # noqa: ASYNC240 - nothing else runs in this loop
    assert process.num_fds() == files
    assert process.num_threads() <= threads
    assert process.children() == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("llama")]


@promise("ai.llm.no-port")
async def test_a_model_opens_no_port(tiny: Path) -> None:
    async with loaded(tiny):
        assert psutil.Process().net_connections("inet") == []


async def test_where_unix_sockets_are_missing_the_loopback_port_wants_a_key(tiny: Path) -> None:
    async with loaded(tiny, unix_socket=False) as model:
        (listener,) = psutil.Process().net_connections("inet")
        stranger = http.client.HTTPConnection("127.0.0.1", listener.laddr.port)
        stranger.request("POST", "/tokenize", '{"content": "x"}', {"Content-Type": "application/json"})

        assert stranger.getresponse().status == http.client.UNAUTHORIZED
        assert listener.laddr.ip == "127.0.0.1"
        assert await model.count_tokens("abc") == 3
        stranger.close()


@promise("ai.llm.silent")
async def test_the_library_writes_nothing_to_the_terminal(tiny: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async with loaded(tiny) as model:
        await answer(model, ask("x", json_schema={"type": "string", "pattern": "[a-z]+"}))
        with pytest.raises(ModelError):
            await answer(model, ask("x" * 9000))

    assert capfd.readouterr() == ("", "")


async def test_a_second_model_can_follow_and_stand_beside_the_first(tiny: Path, tmp_path: Path) -> None:
    other = make_tiny_gguf(tmp_path / "other.gguf", seed=1)
    schema = {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 3}

    async with loaded(tiny) as model, loaded(other) as second:
        one, _ = await answer(model, ask("Tell a story."))
        two, _ = await answer(second, ask("Tell a story."))
    async with loaded(other) as model:
        again, _ = await answer(model, ask("Tell a story."))
        structured, finished = await answer(model, ask("Make one.", json_schema=schema))

    assert one != two == again
    assert structured.startswith("[")
    assert finished.reason == "stop"


async def test_a_model_that_is_closed_at_once_closes(tiny: Path) -> None:
    for _ in range(20):
        async with loaded(tiny):
            pass


async def test_a_closed_model_says_so(tiny: Path) -> None:
    async with loaded(tiny) as model:
        pass

    await model.close()
    with pytest.raises(ModelError, match="closed"):
        await model.count_tokens("x")
    with pytest.raises(ModelError, match="closed"):
        await answer(model, ask("x"))


@pytest.mark.parametrize("text", ["", "\0", "a\ud800b", "<|im_end|>", "🙂" * 50])
async def test_odd_texts_are_answered_or_refused_in_good_order(tiny: Path, text: str) -> None:
    async with loaded(tiny) as model:
        if text == "a\ud800b":
            with pytest.raises(ModelError):
                await answer(model, ask(text))
            with pytest.raises(ModelError):
                await model.count_tokens(text)
        else:
            _, finished = await answer(model, ask(text, max_tokens=2))
            assert finished.output_tokens > 0
