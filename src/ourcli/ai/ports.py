"""The seams of the room: what a native embedder, a language model and a cache must do.

`backends/` implements them (ONNX Runtime, llama.cpp, SQLite); `ourcli.testing` has the fakes.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
"""Shape [n, dims], float32."""


class PromptKind(StrEnum):
    """How a text is meant: models with instructions treat the two differently."""

    QUERY = "query"
    PASSAGE = "passage"


class EmbeddingModel(Protocol):
    """A loaded embedding model. Sync and CPU-bound: callers go through a limiter."""

    @property
    def digest(self) -> str:
        """Hex sha256 that names weights, tokenizer and pooling together."""
        ...

    @property
    def dims(self) -> int:
        """Length of a vector."""
        ...

    def encode(self, texts: Sequence[str], kind: PromptKind) -> Matrix:
        """Return unit vectors, shape [len(texts), dims]; texts beyond the model's limit are cut at it."""
        ...

    def encode_tokens(self, texts: Sequence[str], kind: PromptKind) -> list[Matrix]:
        """Return, per text, one unit vector a token, shape [tokens, dims]."""
        ...

    def encode_both(self, texts: Sequence[str], kind: PromptKind) -> tuple[Matrix, list[Matrix]]:
        """Return what `encode` and `encode_tokens` return, from one pass of the model."""
        ...

    def close(self) -> None:
        """Free the native session."""
        ...


class PairModel(Protocol):
    """A loaded model that reads question and text together. Sync and CPU-bound: callers go through a limiter."""

    def relevances(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return how likely each text answers the question, 0..1; long texts are cut."""
        ...

    def close(self) -> None:
        """Free the native session."""
        ...


class EmbeddingCache(Protocol):
    """A persistent map (model digest, prompt kind, text) -> vector, safe for several processes."""

    def get(self, model: str, kind: PromptKind, texts: Sequence[str]) -> dict[int, Matrix]:
        """Return the vectors that are known, by position in `texts`; shape [dims] each."""
        ...

    def put(self, model: str, kind: PromptKind, texts: Sequence[str], vectors: Matrix) -> None:
        """Keep vectors, dropping the least recently used beyond the bound."""
        ...

    def close(self) -> None:
        """Close the cache's file."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One turn of a conversation as a model sees it."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """What is asked of a language model.

    Attributes:
        messages: The conversation, rules first.
        max_tokens: Most tokens to generate.
        temperature: 0 is greedy.
        seed: Same seed, same request, same build: same answer.
        json_schema: Constrain the answer to this JSON Schema by grammar, or None.
        stop: Texts that end the answer.
    """

    messages: tuple[ChatMessage, ...]
    max_tokens: int
    temperature: float = 0.0
    seed: int = 0
    json_schema: Mapping[str, object] | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The end of an answer, with the model's own counts.

    Attributes:
        reason: `stop` (it ended by itself) or `length` (`max_tokens` reached).
        input_tokens: Prompt tokens, template included.
        cached_tokens: Of these, how many were reused from an earlier prompt.
        output_tokens: Tokens generated.
        prefill_ms: Time spent on the uncached prompt tokens.
        generate_ms: Time spent on generation.
    """

    reason: Literal["stop", "length"]
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    prefill_ms: float
    generate_ms: float


class LanguageModel(Protocol):
    """A loaded language model. One request at a time; further ones wait."""

    @property
    def name(self) -> str:
        """Registry id or file name."""
        ...

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and answer share."""
        ...

    def chat(self, request: ChatRequest) -> AbstractAsyncContextManager[AsyncIterator[TextDelta | Finished]]:
        """Stream the answer; leaving the context early stops the model within 0.2 s.

        The last item is `Finished`, unless the stream was left early.

        Raises:
            ModelError: The model failed, or the prompt does not fit its context.
        """
        ...

    async def count_tokens(self, text: str) -> int:
        """Return the exact number of tokens of `text`, without template or special tokens."""
        ...

    async def count_prompt_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Return the exact number of prompt tokens of a conversation, template included."""
        ...

    async def close(self) -> None:
        """Stop the model and free its memory."""
        ...
