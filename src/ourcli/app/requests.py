"""What is asked of the facade and what it answers: plain values, the same in this process and over a wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ourcli.memory.ingest.report import IngestReport as IngestReport  # noqa: PLC0414  # the facade's callers take it here
from ourcli.memory.layers import Layer
from ourcli.memory.record import Record, Source, Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRequest:
    """One question.

    Attributes:
        text: The user's words; not empty.
        project: Whose memory is used; None for the configured one.
        session: Continue this session.
        continue_last: Continue the project's last session.
        model: Registry id or path of a .gguf; None for the configured one.
        recipe: Name of the recipe; None lets the planner choose.
        files: Files to read along with the question.
        attachment: Text that was piped in, or "".
        tags: Tags for the remembered turns.
        use_memory: Recall and remember.
        use_tools: Offer tools.
        max_tokens: Most tokens of the answer; None for the default.
        budget: Limits by name: tokens, seconds, calls.
        allow_secrets: Remember texts as they are, keys and passwords included.
    """

    text: str
    project: str | None = None
    session: str | None = None
    continue_last: bool = False
    model: str | None = None
    recipe: str | None = None
    files: tuple[Path, ...] = ()
    attachment: str = ""
    tags: tuple[str, ...] = ()
    use_memory: bool = True
    use_tools: bool = True
    max_tokens: int | None = None
    budget: Mapping[str, float] = field(default_factory=dict)
    allow_secrets: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A record (or an attached file) that an answer stands on.

    Attributes:
        number: As it appears in the answer: [1], [2], ...
        record_id: The record, or None for a file given with the question, and for a tool's answer not remembered.
        layer: The record's layer, or "file", or "tool".
        score: Relevance, 0..1.
        source: File and lines, or None.
        text: The cited text.
    """

    number: int
    record_id: str | None
    layer: str
    score: float
    source: Source | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool that was called for an answer.

    Attributes:
        name: The tool's full name.
        input: What it was given.
        ok: It answered; else it failed, or lacked a right and was not run.
    """

    name: str
    input: Mapping[str, object]
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens, counted by the model's own tokenizer."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTiming:
    """Where the time of an answer went, milliseconds. 0 where a stage did not run."""

    total: float
    recall: float
    rerank: float
    prefill: float
    first_token: float
    generate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What `ask` gives back.

    Attributes:
        mode: `generated` by a model, or `quoted` from memory word for word.
        answer: Markdown.
        notices: Things the user should know, a line each (memory had nothing, the model is a small one, ...).
        plan: The plan that ran, as JSON data.
        tools: The tools that were called for it.
    """

    run_id: str
    session: str
    project: str
    model: str
    mode: Literal["generated", "quoted"]
    answer: str
    citations: tuple[Citation, ...]
    notices: tuple[str, ...]
    plan: Mapping[str, object]
    usage: Usage
    timing_ms: AnswerTiming
    tools: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """A record to store as the user or a JSONL line gives it; what is None gets its default.

    `embedding` is used as given when it is present (384 numbers; it is normalised). `model` is the digest
    of the embedding model it was made with, "" when unknown; a vector of another model than the store's is
    made anew.
    """

    text: str
    id: str | None = None
    layer: Layer = Layer.INSIGHTS
    kind: str = "note"
    tags: tuple[str, ...] = ()
    project: str | None = None
    session: str = ""
    speaker: str = ""
    turn: int | None = None
    ts: str | None = None
    source: Source | None = None
    embedding: tuple[float, ...] | None = None
    parents: tuple[str, ...] = ()
    trust: Trust = Trust.USER
    context: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedRecord:
    """A record with its vector, as `memory export` writes it; None for the vector of a redacted one."""

    record: Record
    embedding: tuple[float, ...] | None
