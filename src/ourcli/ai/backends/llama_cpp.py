"""Chat with a GGUF model through llama.cpp in this process."""

import asyncio
import functools
import json
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import ParamSpec, Self, TypeVar

import anyio
from anyio import CapacityLimiter, to_thread

from ourcli.ai.backends.gguf_file import read_header
from ourcli.ai.backends.gguf_probe import probe
from ourcli.ai.backends.llama_server import HAS_UNIX_SOCKETS, LlamaServer, ServerOptions
from ourcli.ai.backends.llama_stream import AnswerStream, Piece
from ourcli.ai.backends.this_machine import physical_cores
from ourcli.ai.budget import batch_tokens, guessed_rate
from ourcli.ai.ports import ChatMessage, ChatRequest, Finished, TextDelta
from ourcli.ai.structured import check_schema
from ourcli.common.errors import ModelError

_P = ParamSpec("_P")
_T = TypeVar("_T")

_REPEAT_PENALTY = 1.1
"""For free text, over the last 64 tokens. Without it SmolLM2, asked to "design cache layer", says the same three
sentences again and again at temperature 0; the 0.5B model's answer is as good with it as without. Structured
answers repeat their keys by design and go without.
"""

_COUNTERS = 2
"""Token counts at a time; the server has as many threads for them."""


class LlamaCppModel:
    """A loaded GGUF model; make one with `load`.

    One thread runs the model, one request at a time; others wait in the order they came. The last prompt stays
    in the model's memory, so that a prompt with the same beginning is not read again from the start. A cancel
    is seen after each batch of the prompt and after each token.
    """

    def __init__(self, *, name: str, context_tokens: int, server: LlamaServer, worker: ThreadPoolExecutor) -> None:
        self._name = name
        self._context_tokens = context_tokens
        self._server = server
        self._worker = worker
        self._turn = anyio.Lock()
        self._counters = CapacityLimiter(_COUNTERS)
        self._closed = False

    @classmethod
    async def load(
        cls,
        path: Path,
        *,
        name: str,
        context_tokens: int,
        threads: int = 0,
        verified: bool = False,
        unix_socket: bool = HAS_UNIX_SOCKETS,
    ) -> Self:
        """Load the model in `path`.

        Args:
            path: A GGUF file.
            name: Registry id or file name.
            context_tokens: Most tokens that prompt and answer share; never beyond what it was trained for.
            threads: Threads for inference; 0 takes the number of physical cores.
            verified: Its digest was checked. Any other file is first tried in a process of its own, because
                llama.cpp aborts the whole process on some damaged files.
            unix_socket: Listen on a unix socket; else on a loopback port with a key.

        Raises:
            ModelMissingError: There is no such file.
            ModelBrokenError: It is damaged, or not for llama.cpp.
        """
        header = await to_thread.run_sync(read_header, path)
        cores = threads or physical_cores()
        if not verified:
            await probe(path, threads=cores)
        options = ServerOptions(
            context_tokens=min(context_tokens, header.context_tokens),
            threads=cores,
            batch_tokens=batch_tokens(guessed_rate(header.size_bytes, cores)),
            unix_socket=unix_socket,
        )
        worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="llama")
        with ExitStack() as undo:
            undo.callback(worker.shutdown, wait=False)
            with anyio.CancelScope(shield=True):
                server = await _in(worker, LlamaServer, path, options)
            undo.pop_all()
        return cls(name=name, context_tokens=options.context_tokens, server=server, worker=worker)

    @property
    def name(self) -> str:
        """Registry id or file name."""
        return self._name

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and answer share."""
        return self._context_tokens

    @asynccontextmanager
    async def chat(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[TextDelta | Finished]]:
        """Stream the answer; leaving the context early stops the model within a batch or a token.

        The last item is `Finished`, unless the stream was left early. Errors come with the first item.

        Raises:
            ModelError: The model failed, the prompt does not fit its context, or the schema is beyond it.
        """
        if request.json_schema is not None:
            check_schema(request.json_schema)
        async with self._turn:
            self._check_open()
            loop = asyncio.get_running_loop()
            pieces: asyncio.Queue[Piece] = asyncio.Queue()
            stop = threading.Event()
            stream = AnswerStream(
                lambda piece: loop.call_soon_threadsafe(pieces.put_nowait, piece),
                stop.is_set,
                structured=request.json_schema is not None,
            )
            work = loop.run_in_executor(self._worker, stream.run, self._server, _body(request))
            try:
                yield _items(pieces)
            finally:
                stop.set()
                with anyio.CancelScope(shield=True):
                    await asyncio.wait([work])

    async def count_tokens(self, text: str) -> int:
        """Return the exact number of tokens of `text`, without template or special tokens."""
        answer = await self._post("/tokenize", {"content": text, "add_special": False, "parse_special": False})
        tokens = answer["tokens"]
        assert isinstance(tokens, list)
        return len(tokens)

    async def count_prompt_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Return the exact number of prompt tokens of a conversation, template included."""
        answer = await self._post("/chat/completions/input_tokens", {"messages": _messages(messages)})
        count = answer["input_tokens"]
        assert isinstance(count, int)
        return count

    async def close(self) -> None:
        """Stop the model and free its memory; a running answer is waited for. Closing twice is harmless."""
        with anyio.CancelScope(shield=True):
            async with self._turn:
                if not self._closed:
                    self._closed = True
                    await _in(self._worker, self._server.close)
                    self._worker.shutdown()

    async def _post(self, path: str, body: Mapping[str, object]) -> dict[str, object]:
        self._check_open()
        return await to_thread.run_sync(self._server.post, path, body, limiter=self._counters)

    def _check_open(self) -> None:
        if self._closed:
            raise ModelError(f"the model {self._name!r} is closed")


async def _items(pieces: "asyncio.Queue[Piece]") -> AsyncIterator[TextDelta | Finished]:
    while True:
        piece = await pieces.get()
        if isinstance(piece, ModelError):
            raise piece
        yield piece
        if isinstance(piece, Finished):
            return


async def _in(worker: ThreadPoolExecutor, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    return await asyncio.get_running_loop().run_in_executor(worker, functools.partial(call, *args, **kwargs))


def _body(request: ChatRequest) -> dict[str, object]:
    body: dict[str, object] = {
        "messages": _messages(request.messages),
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
        "stop": list(request.stop),
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,  # a chunk after each batch of the prompt: the moment to see a cancel
        "cache_prompt": True,
    }
    if request.json_schema is not None:
        body["grammar"] = _grammar(request.json_schema)
    else:
        body["repeat_penalty"] = _REPEAT_PENALTY
    return body


def _grammar(schema: Mapping[str, object]) -> str:
    """Return the grammar of a JSON Schema, in llguidance's form.

    Not `response_format`: that way an answer cut off at `max_tokens` is an error, and patterns that the older
    grammar does not know are warned of on stderr. No free white space: small models get lost in it.
    """
    guidance = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": ", "coerce_one_of": True}
    return "%llguidance {}\nstart: %json " + json.dumps({**schema, "x-guidance": guidance})


def _messages(messages: Sequence[ChatMessage]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]
