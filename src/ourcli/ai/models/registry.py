"""The registry: every model ourcli knows by name, read from `registry.toml` and checked strictly."""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ourcli.ai.models.spec import (
    Capability,
    FileSpec,
    Format,
    HubSource,
    Kind,
    ModelSpec,
    PathSource,
    Pooling,
    Source,
    WheelSource,
)
from ourcli.common.errors import ConfigError, ModelMissingError


def _inner_path(text: str) -> str:
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or "\\" in text or ":" in text.replace("{n:02}", ""):
        raise ValueError(f"{text!r} leaves the archive or repository it belongs to")
    return text


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
InnerPath = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_inner_path)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Commit = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Wheel(_Shape):
    kind: Literal["wheel"]
    package: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(\{n\})?$")]
    version: Annotated[str, Field(pattern=r"^[0-9][A-Za-z0-9.+!]*$")]
    member: InnerPath
    parts: Annotated[int, Field(ge=1, le=500)] = 1

    @model_validator(mode="after")
    def _braces_only_number_parts(self) -> "_Wheel":
        if set(re.findall(r"\{[^}]*\}?|\}", self.package + self.member)) - {"{n}", "{n:02}"}:
            raise ValueError("only {n} and {n:02} may stand for the number of a part")
        return self

    def value(self) -> WheelSource:
        return WheelSource(package=self.package, version=self.version, member=self.member, parts=self.parts)


class _Hub(_Shape):
    kind: Literal["hub"]
    repo: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$")]
    file: InnerPath
    revision: Commit | None = None

    def value(self) -> HubSource:
        return HubSource(repo=self.repo, file=self.file, revision=self.revision)


class _Path(_Shape):
    kind: Literal["path"]
    path: Annotated[str, Field(min_length=1)]

    def value(self) -> PathSource:
        return PathSource(path=Path(self.path).expanduser())


class _File(_Shape):
    name: Name
    bytes: Annotated[int, Field(gt=0)]
    sha256: Digest | None = None
    sources: Annotated[tuple[Annotated[_Wheel | _Hub | _Path, Field(discriminator="kind")], ...], Field(min_length=1)]

    def value(self) -> FileSpec:
        sources: tuple[Source, ...] = tuple(source.value() for source in self.sources)
        return FileSpec(name=self.name, bytes=self.bytes, sha256=self.sha256, sources=sources)


class _Model(_Shape):
    id: Name
    kind: Kind
    format: Format
    about: Annotated[str, Field(min_length=1)]
    licence: Annotated[str, Field(min_length=1)]
    memory_bytes: Annotated[int, Field(gt=0)]
    context_tokens: Annotated[int, Field(gt=0)]
    dims: Annotated[int, Field(gt=0)] | None = None
    pooling: Pooling | None = None
    query_prompt: str = ""
    passage_prompt: str = ""
    capability: Capability | None = None
    files: Annotated[tuple[_File, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _kind_has_what_it_needs(self) -> "_Model":
        if (self.kind is Kind.LLM) != (self.capability is not None):
            raise ValueError("a language model, and nothing else, has a capability")
        if (self.kind is Kind.EMBEDDING) != (self.dims is not None and self.pooling is not None):
            raise ValueError("an embedding model, and nothing else, has dims and pooling")
        if len({file.name for file in self.files}) != len(self.files):
            raise ValueError("two files have the same name")
        return self

    def value(self) -> ModelSpec:
        return ModelSpec(
            id=self.id,
            kind=self.kind,
            format=self.format,
            about=self.about,
            licence=self.licence,
            files=tuple(file.value() for file in self.files),
            memory_bytes=self.memory_bytes,
            context_tokens=self.context_tokens,
            dims=self.dims,
            pooling=self.pooling,
            query_prompt=self.query_prompt,
            passage_prompt=self.passage_prompt,
            capability=self.capability,
        )


class _Registry(_Shape):
    models: tuple[_Model, ...]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "_Registry":
        # Folders are named by id, and some file systems do not tell case apart.
        if len({model.id.lower() for model in self.models}) != len(self.models):
            raise ValueError("two models have the same id")
        return self


class Registry:
    """The known models, in the order of the file."""

    def __init__(self, models: Mapping[str, ModelSpec]) -> None:
        self._models = models

    def __iter__(self) -> Iterator[ModelSpec]:
        return iter(self._models.values())

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._models

    def get(self, identifier: str) -> ModelSpec:
        """Return the model called `identifier`.

        Raises:
            ModelMissingError: There is none; the hint names the nearest.
        """
        if identifier in self._models:
            return self._models[identifier]
        by_lower = {name.lower(): name for name in self._models}
        near = difflib.get_close_matches(identifier.lower(), by_lower, n=1, cutoff=0.4)
        hint = f"did you mean {by_lower[near[0]]!r}? " if near else ""
        raise ModelMissingError(
            f"no model is called {identifier!r}",
            hint=f"{hint}`ourcli models list` shows all; a path to a .gguf file works too",
        )


def parse_registry(text: str) -> Registry:
    """Return the registry that a TOML text describes.

    Raises:
        ConfigError: It is not TOML, or not the shape of a registry.
    """
    try:
        shape = _Registry.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as exc:
        raise ConfigError(f"the model registry cannot be read: {exc}", hint="reinstall ourcli") from exc
    return Registry({model.id: model.value() for model in shape.models})


def load_registry() -> Registry:
    """Return the registry that ships with ourcli."""
    return parse_registry(resources.files("ourcli.ai.models").joinpath("registry.toml").read_text(encoding="utf-8"))
