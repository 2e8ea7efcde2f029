"""The shape of all settings. One frozen `Settings` is built once and passed down.

The text under each field is its reference page. What a rule or a cron expression means is checked by
its own room, which `app` asks when the settings are loaded.
"""

import math
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ENDPOINT = re.compile(r"https?://[^\s/@]+(/\S*)?")


@dataclass(frozen=True, slots=True)
class InWords:
    """What a field takes, in words, for messages and the reference; beside the type in `Annotated`."""

    text: str


def _clean(text: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("it holds a control character")
    if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise ValueError("it is not valid UTF-8")
    return text


def _given(text: str) -> str:
    if not text.strip():
        raise ValueError("it is empty")
    return _clean(text)


def _project(text: str) -> str:
    if not _PROJECT.fullmatch(text):
        raise ValueError("it is not such a name")
    return text


def _folder(text: str) -> str:
    if "://" in text:
        raise ValueError("object stores are not supported yet")
    return _given(text)


def _endpoint(text: str) -> str:
    if text and not _ENDPOINT.fullmatch(text):
        raise ValueError("it is not such an address")
    return text


def _plain_data(value: object) -> object:
    """Refuse what JSON cannot say: dates, times, nan and infinities."""
    if isinstance(value, dict):
        for name, inner in value.items():
            _clean(name)
            _plain_data(inner)
    elif isinstance(value, list):
        for inner in value:
            _plain_data(inner)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value!r} is not a number a rule can use")
    elif not isinstance(value, str | int | float | bool):
        raise ValueError(f"a value of type {type(value).__name__} is not allowed; write dates as text")
    return value


def _rule(rule: dict[str, object]) -> dict[str, object]:
    _plain_data(rule)
    return rule


Text = Annotated[str, AfterValidator(_given), InWords("text")]
"""Text that is not blank and holds no control characters."""
Folder = Annotated[str, AfterValidator(_folder), InWords("a folder on this machine")]
"""A path as the user wrote it; `Home.resolve` says where it lies."""
ProjectName = Annotated[
    str,
    AfterValidator(_project),
    InWords("a name of 1 to 64 letters, digits and . _ - that starts with a letter or digit"),
]
"""The name of a project."""
Endpoint = Annotated[str, AfterValidator(_endpoint), InWords('an http:// or https:// address, or ""')]
"""Where an OpenAI-compatible server listens; credentials never stand in it."""
Patterns = Annotated[tuple[Text, ...], Field(strict=False), InWords("a list of patterns")]
"""Patterns as in `.gitignore`."""
Rules = Annotated[
    tuple[Annotated[dict[str, object], AfterValidator(_rule)], ...], Field(strict=False), InWords("a list of tables")
]
"""Tables of plain data."""


class Section(BaseModel):
    """A table of the configuration file: frozen, and an unknown key is an error.

    Types are strict: `"8192"` is not a number, and `true` is not 1.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, strict=True, allow_inf_nan=False
    )


class PathSettings(Section):
    """Where things are kept. `~` is the user's home; relative paths start at `OURCLI_HOME`."""

    db: Folder = "lancedb"
    """The memory's tables."""
    models: Folder = "models"
    """Model files; can be shared by several homes."""


class AiSettings(Section):
    """Which models are used, and how much they may read."""

    embed_model: Text = "all-MiniLM-L6-v2"
    """Embedding model: a registry id. Another one needs `ourcli memory reembed`."""
    rerank_model: Text = "late-interaction"
    """Reranker: `late-interaction`, `none`, or a registry id."""
    rerank_seconds: Annotated[float, Field(gt=0, le=600)] = 2.0
    """So long a search reranks at most; what is not reranked by then keeps its place. A registry id wants more."""
    llm_model: Text = "auto"
    """Language model: `auto` (what `setup` chose for this machine), a registry id, or a path to a .gguf file."""
    base_url: Endpoint = ""
    """Endpoint for `openai:MODEL`; needs the extra `remote-openai` and `OURCLI_NET=1`."""
    max_ctx_tokens: Annotated[int, Field(ge=512, le=1_048_576)] = 8192
    """Most tokens that prompt and answer share; never beyond what the model was trained for."""
    threads: Annotated[int, Field(ge=0, le=512)] = 0
    """Threads for model inference; 0 takes the number of physical cores."""
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    """Randomness of answers; 0 always takes the likeliest word."""
    seed: Annotated[int, Field(ge=0, le=2**32 - 2)] = 0
    """Same seed, same question, same memory: same answer."""
    prefill_seconds: Annotated[float, Field(gt=0, le=600)] = 5.0
    """The prompt is packed so that reading it takes no longer than this at the measured speed."""


class SchedulerSettings(Section):
    """When maintenance runs: six fields, seconds first, in the machine's local time."""

    promote_cron: Text = "0 0 */6 * * *"
    """When the promotion and decay rules are applied."""
    vacuum_cron: Text = "0 0 0 * * *"
    """When old records and versions are cleaned away."""


class MemorySettings(Section):
    """The rules that move records between layers, and how moves are taken back."""

    rules: Rules = ()
    """Promotion and decay rules; empty means the shipped ones."""
    undo_days: Annotated[int, Field(ge=0, le=3650)] = 30
    """So many days a move can be undone; after that the ledger keeps only digests of what was before."""
    inbox: bool = False
    """Let moves that rules ask for wait in an inbox until they are accepted or rejected."""
    index_interact: Text = "hnsw-sq"
    """Vector index of the session layer from 5,000 records on: flat, hnsw-sq, ivf-sq, ivf-pq or ivf-rq."""
    index_insights: Text = "ivf-pq"
    """The same for the layer of distilled decisions, from 20,000 records on."""
    index_assets: Text = "ivf-sq"
    """The same for documents and code, from 20,000 records on."""


class IngestSettings(Section):
    """Which files `ingest` reads. Patterns are those of `.gitignore`."""

    include: Patterns = ()
    """Only files that match one of these; empty means all."""
    exclude: Patterns = ()
    """Files to leave out, besides those that `.gitignore` names."""


class ToolSettings(Section):
    """Which built-in tools there are."""

    shell: bool = False
    """Offer the tool `shell.run`, which runs programs of this machine; it needs the grant `exec` as well."""


class Settings(Section):
    """Everything that can be set."""

    project: ProjectName = "default"
    """Whose memory is used when no `--project` is given."""
    paths: PathSettings = PathSettings()
    ai: AiSettings = AiSettings()
    scheduler: SchedulerSettings = SchedulerSettings()
    memory: MemorySettings = MemorySettings()
    ingest: IngestSettings = IngestSettings()
    tools: ToolSettings = ToolSettings()
