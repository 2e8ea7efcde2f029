"""The shape of all settings. One frozen `Settings` is built once and passed down.

The text under each field is its reference page. What a rule or a cron expression means is checked by
its own room, which `app` asks when the settings are loaded.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A table of the configuration file: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, strict=False)


class PathSettings(Section):
    """Where things are kept. `~` is the user's home; relative paths start at `OURCLI_HOME`."""

    db: str = "lancedb"
    """The memory's tables."""
    models: str = "models"
    """Model files; can be shared by several homes."""


class AiSettings(Section):
    """Which models are used, and how much they may read."""

    embed_model: str = "all-MiniLM-L6-v2"
    """Embedding model: a registry id. Another one needs `ourcli memory reembed`."""
    rerank_model: str = "late-interaction"
    """Reranker: `late-interaction`, `none`, or a registry id."""
    llm_model: str = "auto"
    """Language model: `auto` (what `setup` chose for this machine), a registry id, or a path to a .gguf file."""
    base_url: str = ""
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
    """When maintenance runs: six fields, seconds first."""

    promote_cron: str = "0 0 */6 * * *"
    """When the promotion and decay rules are applied."""
    vacuum_cron: str = "0 0 0 * * *"
    """When old records and versions are cleaned away."""


class MemorySettings(Section):
    """The rules that move records between layers."""

    rules: tuple[dict[str, object], ...] = ()
    """Promotion and decay rules; empty means the shipped ones."""


class IngestSettings(Section):
    """Which files `ingest` reads. Patterns are those of `.gitignore`."""

    include: tuple[str, ...] = ()
    """Only files that match one of these; empty means all."""
    exclude: tuple[str, ...] = ()
    """Files to leave out, besides those that `.gitignore` names."""


class Settings(Section):
    """Everything that can be set."""

    project: str = "default"
    """Whose memory is used when no `--project` is given."""
    paths: PathSettings = PathSettings()
    ai: AiSettings = AiSettings()
    scheduler: SchedulerSettings = SchedulerSettings()
    memory: MemorySettings = MemorySettings()
    ingest: IngestSettings = IngestSettings()
