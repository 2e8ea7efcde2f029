"""The Qwen3 rerankers on ONNX Runtime: a language model says "yes" or "no", and how sure it is of it.

Prompt and score are those of the model card of Qwen3-Reranker-0.6B (Zhang et al., "Qwen3 Embedding", 2025): system and
user turn in chat format, an empty thought, and the softmax over the logits of `yes` and `no` at the last position.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np

from ourcli.ai.backends.onnx import LOGITS, Logits, OnnxSession, PaddedBatch
from ourcli.ai.backends.tokenizer import BoundedTokenizer
from ourcli.ai.models.spec import Kind, ModelSpec
from ourcli.common.errors import ModelBrokenError, ModelError

PREFIX = (
    "<|im_start|>system\n"
    "Judge whether the Document meets the requirements based on the Query and the Instruct provided. "
    'Note that the answer can only be "yes" or "no".<|im_end|>\n'
    "<|im_start|>user\n"
)
SUFFIX = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"
YES, NO = "yes", "no"

MAX_TOKENS = 1024
"""Most tokens of a pair, frame included. The model reads far more, but memory's pieces are shorter and time is dear."""
BATCH_TOKENS = 1024
"""Most tokens of a batch, padding included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxRerankerSpec:
    """A model and how it is asked.

    Attributes:
        model_file: The ONNX file. It yields either two logits, of no and yes in this order, or one for each token.
        tokenizer_file: Its `tokenizer.json`.
        max_tokens: Most tokens of a pair, frame included.
        instruction: What a good text has to do, told to the model.
    """

    model_file: Path
    tokenizer_file: Path
    max_tokens: int = MAX_TOKENS
    instruction: str = INSTRUCTION

    @classmethod
    def of(cls, model: ModelSpec, folder: Path) -> "OnnxRerankerSpec":
        """Return the spec of an installed model of the registry.

        Raises:
            ModelError: It is no reranker.
        """
        if model.kind is not Kind.RERANKER:
            raise ModelError(f"{model.id!r} is not a reranker", hint="see `ourcli models list`")
        return cls(
            model_file=folder / model.weights.name,
            tokenizer_file=folder / "tokenizer.json",
            max_tokens=min(MAX_TOKENS, model.context_tokens),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    session: OnnxSession
    prompt: "PairPrompt"


class OnnxReranker:
    """A reranker in this process; its files are opened at the first question.

    Thread-safe, but every run uses `threads` threads: callers share one limiter.

    Args:
        spec: The model.
        threads: Threads that one run may use.
    """

    def __init__(self, spec: OnnxRerankerSpec, *, threads: int) -> None:
        self._spec = spec
        self._threads = threads
        self._lock = Lock()
        self._open: _Opened | None = None
        self._closed = False

    def relevances(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return how likely the model says yes to each text, 0..1; the end of a long text is cut off.

        Raises:
            ModelMissingError: A file is not there.
            ModelBrokenError: A file is damaged or not such a model.
            ModelError: The run failed, or the model is closed.
        """
        opened = self._opened()
        rows = opened.prompt.rows(query, texts)
        scores = [0.0] * len(texts)
        for places in self._batches(rows, opened.session.choices):
            batch = PaddedBatch.of([rows[place] for place in places], "left")  # the last position is the last token
            for place, score in zip(places, opened.prompt.says_yes(opened.session.run(batch)), strict=True):
                scores[place] = score
        return scores

    def close(self) -> None:
        """Free the native session."""
        with self._lock:
            self._open, self._closed = None, True

    def _opened(self) -> _Opened:
        with self._lock:
            if self._closed:
                raise ModelError(f"the model {self._spec.model_file.name!r} is closed")
            if self._open is None:
                prompt = PairPrompt(self._spec)
                session = OnnxSession(self._spec.model_file, threads=self._threads, wanted=LOGITS)
                self._open = _Opened(session=session, prompt=prompt)
            return self._open

    def _batches(self, rows: Sequence[Sequence[int]], choices: int | None) -> Iterator[list[int]]:
        """Yield places of rows, shortest first, bounded by padded size; alone where each brings a whole vocabulary."""
        most = BATCH_TOKENS if choices == len((NO, YES)) else 0
        batch: list[int] = []
        for place in sorted(range(len(rows)), key=lambda place: len(rows[place])):
            if batch and len(rows[place]) * (len(batch) + 1) > most:
                yield batch
                batch = []
            batch.append(place)
        if batch:
            yield batch


class PairPrompt:
    """Question and text as the model was trained to read them, and its answer as a number.

    Args:
        spec: The model.

    Raises:
        ModelMissingError: The tokenizer is not there.
        ModelBrokenError: It is damaged, or lacks `yes` or `no`.
    """

    def __init__(self, spec: OnnxRerankerSpec) -> None:
        self._name = spec.model_file.name
        self._tokenizer = BoundedTokenizer(spec.tokenizer_file, spec.max_tokens)
        self._instruction = spec.instruction
        self._prefix: list[int] = self._tokenizer.plain(PREFIX, special=True).ids
        self._suffix: list[int] = self._tokenizer.plain(SUFFIX, special=True).ids
        self._room = spec.max_tokens - len(self._prefix) - len(self._suffix)
        self._choices = [self._tokenizer.id_of(NO), self._tokenizer.id_of(YES)]

    def rows(self, query: str, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each pair.

        A long text is cut at its end, a question beyond half of the room before it, the frame never. Marks of the
        chat format inside of question and texts are read as ordinary words.
        """
        question = self._cut(query, self._room // 2)
        head = f"<Instruct>: {self._instruction}\n<Query>: {question}\n<Document>: "
        bodies = (self._tokenizer.plain(head + text).ids for text in texts)
        return [[*self._prefix, *body[: self._room], *self._suffix] for body in bodies]

    def says_yes(self, logits: Logits) -> list[float]:
        """Return the softmax over no and yes at the last position, its part for yes.

        Raises:
            ModelBrokenError: The model brings other numbers than two or one a token.
            ModelError: It brought something that is no number.
        """
        last = logits[:, -1, :] if logits.ndim == 3 else logits
        if last.shape[1] != len(self._choices):
            if last.shape[1] <= max(self._choices):
                raise ModelBrokenError(f"the model {self._name!r} has {last.shape[1]} logits, which is no vocabulary")
            last = last[:, self._choices]
        margin = last[:, 1].astype(np.float64) - last[:, 0]
        if not np.isfinite(margin).all():
            raise ModelError(f"the model {self._name!r} gave no numbers")
        return [float(one) for one in 0.5 * (1.0 + np.tanh(0.5 * margin))]

    def _cut(self, text: str, most: int) -> str:
        """Return the beginning of a text, at most so many tokens."""
        encoding = self._tokenizer.plain(text)
        return text if len(encoding.ids) <= most else text[: encoding.offsets[most][0]]
