"""Turn the chunks of a llama.cpp completion into the pieces of an answer, in the model's own thread."""

import json
from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ourcli.ai.backends.llama_server import LlamaServer
from ourcli.ai.ports import Finished, TextDelta
from ourcli.common.errors import ModelError

Piece = TextDelta | Finished | ModelError


class _Part(BaseModel):
    """A part of a chunk; llama.cpp adds keys with every release, so that unknown ones are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Delta(_Part):
    content: str | None = None


class _Choice(_Part):
    delta: _Delta = _Delta()
    finish_reason: Literal["stop", "length"] | None = None


class _Usage(_Part):
    prompt_tokens: int
    completion_tokens: int


class _Timings(_Part):
    cache_n: int = 0
    prompt_ms: float
    predicted_ms: float


class _Failure(_Part):
    message: str = "unknown"
    type: str = ""
    n_prompt_tokens: int = 0
    n_ctx: int = 0


class _Chunk(_Part):
    choices: tuple[_Choice, ...] = ()
    usage: _Usage | None = None
    timings: _Timings | None = None
    error: _Failure | None = None


class AnswerStream:
    """One answer on its way from the model to the one who asked.

    Args:
        deliver: Takes each piece; called in the model's thread.
        stopped: Says whether nobody waits any more.
        structured: The answer must be JSON.
    """

    def __init__(self, deliver: Callable[[Piece], object], stopped: Callable[[], bool], *, structured: bool) -> None:
        self._deliver = deliver
        self._stopped = stopped
        self._structured = structured
        self._texts: list[str] = []
        self._reason: Literal["stop", "length"] = "stop"
        self._ended = False

    def run(self, server: LlamaServer, body: Mapping[str, object]) -> None:
        """Ask the model and deliver the pieces; the last one is `Finished` or an error, unless it was stopped."""
        if self._stopped():
            return
        try:
            server.chat(body, self._take)
        except ModelError as error:
            self._end(error)
        if not self._stopped():
            self._end(ModelError("the model broke off", hint="ask again"))

    def _take(self, raw: dict[str, object]) -> bool:
        try:
            chunk = _Chunk.model_validate(raw)
        except ValidationError as exc:
            self._end(ModelError(f"the model's answer is not understood: {exc}"))
            return True
        if chunk.error is not None:
            self._end(_translated(chunk.error))
        for choice in chunk.choices:
            self._reason = choice.finish_reason or self._reason
            if choice.delta.content:
                self._texts.append(choice.delta.content)
                self._deliver(TextDelta(text=choice.delta.content))
        if chunk.usage is not None and chunk.timings is not None:
            self._end(self._finished(chunk.usage, chunk.timings))
        return self._ended or self._stopped()

    def _finished(self, usage: _Usage, timings: _Timings) -> Finished | ModelError:
        if self._structured and self._reason == "stop" and not _is_json("".join(self._texts)):
            return ModelError(
                "the model did not keep to the JSON Schema", hint="simplify the schema: it is beyond the grammar engine"
            )
        return Finished(
            reason=self._reason,
            input_tokens=usage.prompt_tokens,
            cached_tokens=timings.cache_n,
            output_tokens=usage.completion_tokens,
            prefill_ms=timings.prompt_ms,
            generate_ms=timings.predicted_ms,
        )

    def _end(self, piece: Finished | ModelError) -> None:
        if not self._ended:
            self._ended = True
            self._deliver(piece)


def _translated(failure: _Failure) -> ModelError:
    if failure.type == "exceed_context_size_error":
        return ModelError(
            f"the prompt has {failure.n_prompt_tokens} tokens, the context {failure.n_ctx}",
            hint="ask for less at once, or raise ai.max_ctx_tokens if the model was trained for more",
        )
    return ModelError(f"the model failed: {failure.message}")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
