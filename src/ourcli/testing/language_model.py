"""A language model that says what it was told to say; a word counts as a token."""

import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
from anyio.lowlevel import checkpoint

from ourcli.ai.ports import ChatMessage, ChatRequest, Finished, TextDelta
from ourcli.ai.structured import check_schema
from ourcli.common.errors import ModelError, OurcliError

_WORD = re.compile(r"\s*\S+|\s+$")


class ScriptedLanguageModel:
    """Give the scripted answers in their order, a word at a time; the last one is given again and again.

    It keeps to `max_tokens`, `stop`, the context and, as the real one does, to one request at a time; an answer
    to a request with a schema must be scripted as JSON. Times are 1 ms a token.

    Args:
        answers: What it says; an error is raised instead of an answer.
        name: Registry id or file name.
        context_tokens: Words that prompt and answer share.

    Attributes:
        requests: What it was asked, in order.
        closed: Whether `close` was called.
    """

    def __init__(
        self,
        answers: Sequence[str | OurcliError] = ("I do not know.",),
        *,
        name: str = "scripted",
        context_tokens: int = 8192,
    ) -> None:
        self._answers = list(answers)
        self._name = name
        self._context_tokens = context_tokens
        self._turn = anyio.Lock()
        self._last_prompt: list[str] = []
        self.requests: list[ChatRequest] = []
        self.closed = False

    @property
    def name(self) -> str:
        """Registry id or file name."""
        return self._name

    @property
    def context_tokens(self) -> int:
        """Words that prompt and answer share."""
        return self._context_tokens

    @asynccontextmanager
    async def chat(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[TextDelta | Finished]]:
        """Stream the next scripted answer.

        Raises:
            ModelError: The prompt is too long, the schema cannot be enforced, or the model is closed.
        """
        if request.json_schema is not None:
            check_schema(request.json_schema)
        async with self._turn:
            self._check_open()
            self.requests.append(request)
            yield self._stream(request)

    async def count_tokens(self, text: str) -> int:
        """Return the number of words."""
        self._check_open()
        return len(text.split())

    async def count_prompt_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Return the number of words, one more a message for its role."""
        self._check_open()
        return len(_prompt(messages))

    async def close(self) -> None:
        """Note that it was closed."""
        self.closed = True

    async def _stream(self, request: ChatRequest) -> AsyncIterator[TextDelta | Finished]:
        prompt = _prompt(request.messages)
        if len(prompt) >= self._context_tokens:
            raise ModelError(
                f"the prompt has {len(prompt)} tokens, the context {self._context_tokens}", hint="ask for less at once"
            )
        answer = self._next_answer(request)
        cached = _shared(prompt, self._last_prompt)
        self._last_prompt = prompt
        words = _WORD.findall(_before(answer, request.stop))
        said = words[: min(request.max_tokens, self._context_tokens - len(prompt))]
        for word in said:
            await checkpoint()
            yield TextDelta(text=word)
        yield Finished(
            reason="stop" if len(said) == len(words) else "length",
            input_tokens=len(prompt),
            cached_tokens=cached,
            output_tokens=len(said),
            prefill_ms=float(len(prompt) - cached),
            generate_ms=float(len(said)),
        )

    def _next_answer(self, request: ChatRequest) -> str:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, OurcliError):
            raise answer
        if request.json_schema is not None:
            json.loads(answer)  # a script that is no JSON is a mistake of the test
        return answer

    def _check_open(self) -> None:
        if self.closed:
            raise ModelError(f"the model {self._name!r} is closed")


def _prompt(messages: Sequence[ChatMessage]) -> list[str]:
    return [word for message in messages for word in (f"<{message.role}>", *message.content.split())]


def _shared(prompt: Sequence[str], earlier: Sequence[str]) -> int:
    """Return how many words both begin with; the last word of a prompt is always read."""
    pairs = zip(prompt[:-1], earlier, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(prompt) - 1, len(earlier)))


def _before(text: str, stops: Sequence[str]) -> str:
    return min((text.split(stop, 1)[0] for stop in stops), key=len, default=text)
