"""Embedding models on ONNX Runtime: MiniLM (mean pooling) and the Qwen3 family (last token, instructions, MRL)."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from ourcli.ai.backends.onnx import Hidden, OnnxSession, PaddedBatch, PaddingSide
from ourcli.ai.backends.tokenizer import BoundedTokenizer
from ourcli.ai.models.spec import ModelSpec, Pooling
from ourcli.ai.ports import Matrix, PromptKind
from ourcli.common.errors import ModelBrokenError, ModelError

BATCH_TOKENS = 256
"""Most tokens of a batch, padding included. A core gains nothing from more, and large padded batches lose: 32
unsorted texts at once run at a sixth of the speed of one at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxEmbeddingSpec:
    """All that decides which vector a text gets.

    Attributes:
        model_file: The ONNX file.
        tokenizer_file: Its `tokenizer.json`, whose post-processor adds the special tokens (`[CLS]`, EOS).
        files_digest: Hex sha256 that names both files; taken as given, the files are not read for it.
        dims: Length of a vector. Less than the model's own means its first numbers, renormalised (Matryoshka).
        max_tokens: Where a text is cut. For MiniLM 256, as its authors ship it: it has 512 positions, but was
            trained on shorter texts.
        pooling: Mean of the tokens, or the last token.
        query_prompt: Put before a question (the instruction of Qwen3); counts towards `max_tokens`.
        passage_prompt: Put before a passage.
        padding_side: Where shorter texts of a batch are filled up; no effect on the vectors.
    """

    model_file: Path
    tokenizer_file: Path
    files_digest: str
    dims: int
    max_tokens: int
    pooling: Pooling
    query_prompt: str = ""
    passage_prompt: str = ""
    padding_side: PaddingSide = "right"

    @property
    def digest(self) -> str:
        """Hex sha256 over the files' digest and every setting that changes vectors."""
        settings = [
            self.files_digest,
            self.dims,
            self.max_tokens,
            self.pooling.value,
            self.query_prompt,
            self.passage_prompt,
        ]
        return hashlib.sha256(json.dumps(settings).encode()).hexdigest()

    def prompt(self, kind: PromptKind) -> str:
        """Return what is put before a text of this kind."""
        return self.query_prompt if kind is PromptKind.QUERY else self.passage_prompt

    @classmethod
    def of(cls, model: ModelSpec, folder: Path, *, files_digest: str) -> "OnnxEmbeddingSpec":
        """Return the spec of an installed model of the registry, whose files are `model.onnx` and `tokenizer.json`.

        Raises:
            ModelError: The registry says nothing of its vectors: it is no embedding model.
        """
        if model.dims is None or model.pooling is None:
            raise ModelError(f"{model.id!r} is not an embedding model", hint="see `ourcli models list`")
        return cls(
            model_file=folder / model.weights.name,
            tokenizer_file=folder / "tokenizer.json",
            files_digest=files_digest,
            dims=model.dims,
            max_tokens=model.context_tokens,
            pooling=model.pooling,
            query_prompt=model.query_prompt,
            passage_prompt=model.passage_prompt,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    positions: list[int]
    encodings: list[Encoding]


class OnnxEmbeddingModel:
    """An embedding model in this process; the files are opened at the first text.

    Thread-safe, but every run uses `threads` threads: callers share one limiter.

    Args:
        spec: The model.
        threads: Threads that one run may use.
    """

    def __init__(self, spec: OnnxEmbeddingSpec, *, threads: int) -> None:
        self._spec = spec
        self._threads = threads
        self._lock = Lock()
        self._session: OnnxSession | None = None
        self._tokenizer: BoundedTokenizer | None = None
        self._closed = False

    @property
    def digest(self) -> str:
        """Hex sha256 that names weights, tokenizer and pooling together."""
        return self._spec.digest

    @property
    def dims(self) -> int:
        """Length of a vector."""
        return self._spec.dims

    def encode(self, texts: Sequence[str], kind: PromptKind) -> Matrix:
        """Return unit vectors, shape [len(texts), dims]; texts beyond the model's limit are cut at it.

        Raises:
            ModelMissingError: A file is not there.
            ModelBrokenError: A file is damaged, or the model's vectors are shorter than `dims`.
            ModelError: The run failed, or the model is closed.
        """
        vectors = np.empty((len(texts), self.dims), dtype=np.float32)
        for batch in self._batches(texts, kind):
            vectors[batch.positions] = self._pooled(*self._run(batch))
        return vectors

    def encode_tokens(self, texts: Sequence[str], kind: PromptKind) -> list[Matrix]:
        """Return, per text, one unit vector a token, shape [tokens, dims]; special and prompt tokens left out.

        A text of which the tokenizer keeps nothing gets the vectors of its special tokens.

        Raises:
            ModelError: As `encode`.
        """
        vectors: dict[int, Matrix] = {}
        for batch in self._batches(texts, kind):
            vectors.update(self._by_token(batch, *self._run(batch), kind=kind))
        return [vectors[position] for position in range(len(texts))]

    def encode_both(self, texts: Sequence[str], kind: PromptKind) -> tuple[Matrix, list[Matrix]]:
        """Return what `encode` and `encode_tokens` return, from one pass of the model.

        Raises:
            ModelError: As `encode`.
        """
        vectors = np.empty((len(texts), self.dims), dtype=np.float32)
        tokens: dict[int, Matrix] = {}
        for batch in self._batches(texts, kind):
            padded, hidden = self._run(batch)
            vectors[batch.positions] = self._pooled(padded, hidden)
            tokens.update(self._by_token(batch, padded, hidden, kind=kind))
        return vectors, [tokens[position] for position in range(len(texts))]

    def close(self) -> None:
        """Free the native session."""
        with self._lock:
            self._session, self._tokenizer, self._closed = None, None, True

    def _opened(self) -> tuple[OnnxSession, BoundedTokenizer]:
        with self._lock:
            if self._closed:
                raise ModelError(f"the model {self._spec.model_file.name!r} is closed")
            if self._session is None or self._tokenizer is None:
                self._tokenizer = BoundedTokenizer(self._spec.tokenizer_file, self._spec.max_tokens)
                self._session = OnnxSession(self._spec.model_file, threads=self._threads)
            return self._session, self._tokenizer

    def _batches(self, texts: Sequence[str], kind: PromptKind) -> Iterator[_Batch]:
        """Tokenize all texts, then yield them shortest first, bounded by padded size."""
        _, tokenizer = self._opened()
        prompt = self._spec.prompt(kind)
        encodings = [tokenizer.encode(text, prompt=prompt) for text in texts]
        positions: list[int] = []
        for position in sorted(range(len(texts)), key=lambda index: len(encodings[index])):
            if positions and len(encodings[position]) * (len(positions) + 1) > BATCH_TOKENS:
                yield _Batch(positions=positions, encodings=[encodings[index] for index in positions])
                positions = []
            positions.append(position)
        if positions:
            yield _Batch(positions=positions, encodings=[encodings[index] for index in positions])

    def _run(self, batch: _Batch) -> tuple[PaddedBatch, Hidden]:
        session, _ = self._opened()
        padded = PaddedBatch.of([encoding.ids for encoding in batch.encodings], self._spec.padding_side)
        return padded, session.run(padded)

    def _pooled(self, padded: PaddedBatch, hidden: Hidden) -> Matrix:
        pool = mean_pool if self._spec.pooling is Pooling.MEAN else last_pool
        return self._unit(pool(hidden, padded.mask))

    def _by_token(
        self, batch: _Batch, padded: PaddedBatch, hidden: Hidden, *, kind: PromptKind
    ) -> Iterator[tuple[int, Matrix]]:
        """Yield each text's position and the unit vectors of its own tokens."""
        start = len(self._spec.prompt(kind))
        for row, (position, encoding) in enumerate(zip(batch.positions, batch.encodings, strict=True)):
            tokens = hidden[row][padded.mask[row] == 1]
            own = _own_tokens(encoding, start)
            yield position, self._unit(tokens[own] if own.any() else tokens)

    def _unit(self, vectors: Matrix) -> Matrix:
        """Slice to `dims`, then renormalise, in this order."""
        name = self._spec.model_file.name
        if vectors.shape[1] < self.dims:
            raise ModelBrokenError(f"the model {name!r} has vectors of {vectors.shape[1]} numbers, not {self.dims}")
        sliced = vectors[:, : self.dims]
        norms = np.linalg.norm(sliced, axis=1, keepdims=True)
        if not (np.isfinite(norms).all() and norms.all()):
            raise ModelError(f"the model {name!r} made a vector that has no direction")
        unit: Matrix = (sliced / norms).astype(np.float32)
        return unit


def mean_pool(hidden: Hidden, mask: NDArray[np.int64]) -> Matrix:
    """Return the mean of each text's token vectors, padding left out; shape [batch, hidden]."""
    kept = np.where(mask[:, :, None] == 1, hidden, np.float32(0))
    mean: Matrix = kept.sum(axis=1) / mask.sum(axis=1, keepdims=True).astype(np.float32)
    return mean


def last_pool(hidden: Hidden, mask: NDArray[np.int64]) -> Matrix:
    """Return each text's last token vector, wherever the padding stands; shape [batch, hidden]."""
    last = mask.shape[1] - 1 - np.argmax(mask[:, ::-1], axis=1)
    pooled: Matrix = hidden[np.arange(len(hidden)), last]
    return pooled


def _own_tokens(encoding: Encoding, start: int) -> NDArray[np.bool_]:
    """Mark the tokens of the text itself, which begins at character `start`, after the prompt."""
    offsets = np.array(encoding.offsets).reshape(-1, 2)
    own: NDArray[np.bool_] = (np.array(encoding.special_tokens_mask) == 0) & (offsets[:, 0] >= start)
    return own
