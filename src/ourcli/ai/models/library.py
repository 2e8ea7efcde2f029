"""The models of this machine: what there is, what fits, what is installed, and the way to get more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread
from pydantic import BaseModel, ConfigDict, ValidationError

from ourcli.ai.models.machine import SMALL, Machine, best_llm, capability_of_size, recommended_llm
from ourcli.ai.models.ports import Fetchers, Locks
from ourcli.ai.models.pull import Puller
from ourcli.ai.models.registry import Registry
from ourcli.ai.models.shelf import Shelf
from ourcli.ai.models.spec import FileSpec, Format, Kind, ModelSpec, PathSource
from ourcli.common.errors import ModelMissingError, UsageError
from ourcli.common.events import EventSink
from ourcli.common.files import atomic_write

AUTO = "auto"
"""The setting that means: what `setup` chose for this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledModel:
    """A model that can be loaded.

    Attributes:
        spec: What is known of it; made up from name and size for a .gguf outside the registry.
        folder: Where its files stand.
        files: Path of each file, by name, weights first.
        digests: sha256 of each file, by name; empty for a .gguf outside the registry.
    """

    spec: ModelSpec
    folder: Path
    files: Mapping[str, Path]
    digests: Mapping[str, str]

    @property
    def weights(self) -> Path:
        """The file with the weights."""
        return self.files[self.spec.weights.name]

    @property
    def sha256(self) -> str:
        """The digest of the weights, or ""."""
        return self.digests.get(self.spec.weights.name, "")

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(path.stat().st_size for path in self.files.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStatus:
    """A line of `models list`.

    Attributes:
        installed: All files are there; `verify` says whether they are right.
        fits: This machine has the memory for it.
        recommended: The language model that `setup` chooses here.
        chosen: What `auto` means now.
        sha256: Digest of the weights, or None when no pull has recorded it yet.
    """

    spec: ModelSpec
    installed: bool
    fits: bool
    recommended: bool
    chosen: bool
    sha256: str | None
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDownload:
    """A model that would be fetched: what, from where in order, how much, under which licence, and why."""

    spec: ModelSpec
    sources: tuple[str, ...]
    bytes: int
    licence: str
    why: str


class _Choice(BaseModel):
    model_config = ConfigDict(extra="forbid")

    llm: str


class ModelLibrary:
    """Everything that commands and wiring need to know and do about models.

    Args:
        registry: The known models.
        shelf: The folder of models.
        machine: What they have to run on.
        fetchers: Bring files.
        locks: Keep two pulls of one model apart.
    """

    def __init__(self, registry: Registry, shelf: Shelf, *, machine: Machine, fetchers: Fetchers, locks: Locks) -> None:
        self._registry = registry
        self._shelf = shelf
        self._machine = machine
        self._locks = locks
        self._puller = Puller(shelf, fetchers, locks)

    @property
    def registry(self) -> Registry:
        """The known models."""
        return self._registry

    @property
    def machine(self) -> Machine:
        """What they have to run on."""
        return self._machine

    def statuses(self) -> tuple[ModelStatus, ...]:
        """Return one status for each model of the registry; no file is read."""
        chosen = self._auto_id()
        return tuple(self._status(spec, chosen) for spec in self._registry)

    def recommended_llm(self) -> ModelSpec:
        """Return the language model that fits this machine, installed or not."""
        return self._registry.get(recommended_llm(self._machine))

    def setup_ids(self, embed_model: str, *, llm: str | None = None, small: bool = False) -> tuple[str, ...]:
        """Return what `setup` has to install: the embedder, and the given, the small or the fitting language model.

        Raises:
            ModelMissingError: A name is not in the registry.
            UsageError: `llm` is no language model, or both `llm` and `small` are given.
        """
        if llm is not None and small:
            raise UsageError("--llm and --small exclude each other", hint="give one of them")
        wanted = self._registry.get(llm or (SMALL if small else recommended_llm(self._machine)))
        _must_be_llm(wanted)
        return (self._registry.get(embed_model).id, wanted.id)

    def plan(self, ids: Sequence[str]) -> tuple[PlannedDownload, ...]:
        """Return what would be fetched to have these models; empty when all are there.

        Raises:
            ModelMissingError: A name is not in the registry.
        """
        specs = [self._registry.get(identifier) for identifier in ids]
        return tuple(self._planned(spec) for spec in specs if not self._shelf.is_present(spec))

    async def pull(self, identifier: str, listen: EventSink) -> InstalledModel:
        """Install a model; instant, and without network, when it is there and intact.

        Emits `ProgressMade` in bytes and, at the end, `ModelInstalled`.

        Raises:
            ModelMissingError: The name is not in the registry.
            NetworkOffError: It has to be fetched, and the network is off.
            DownloadError: Every source failed.
            StoreError: It cannot be written.
        """
        spec = self._registry.get(identifier)
        await self._puller.pull(spec, listen)
        return await anyio.to_thread.run_sync(self._checked, spec)

    async def verify(self, identifier: str) -> InstalledModel:
        """Read all files of an installed model and compare their digests.

        Raises:
            ModelMissingError: It is not installed.
            ModelBrokenError: A file is not what was promised.
        """
        spec = self._registry.get(identifier)

        def verified() -> InstalledModel:
            return self._checked(spec, full=True)

        return await anyio.to_thread.run_sync(verified)

    async def remove(self, identifier: str, *, forget: bool = False) -> None:
        """Remove an installed model.

        Args:
            identifier: Which one.
            forget: Also forget what its first pull recorded, so that the next one may bring other bytes.

        Raises:
            ModelMissingError: It is not installed.
            StoreError: It cannot be removed.
        """
        spec = self._registry.get(identifier)
        if not self._shelf.folder(spec).exists():
            raise ModelMissingError(f"the model {identifier!r} is not installed", hint="`ourcli models list`")
        async with self._locks.hold(self._shelf.lock(spec)):
            await anyio.to_thread.run_sync(self._shelf.remove, spec)
            if forget:
                self._shelf.pins_file(spec).unlink(missing_ok=True)
            if self._recorded_choice() == spec.id:
                self._shelf.choice_file.unlink(missing_ok=True)

    def choose(self, identifier: str) -> ModelSpec:
        """Record what `auto` means from now on.

        Raises:
            ModelMissingError: It is unknown or not installed.
            UsageError: It is no language model.
        """
        spec = self._registry.get(identifier)
        _must_be_llm(spec)
        self._checked(spec)
        with atomic_write(self._shelf.choice_file) as stream:
            stream.write(_Choice(llm=spec.id).model_dump_json().encode())
        return spec

    def resolve_llm(self, setting: str) -> str:
        """Return the registry id or path that a setting means; `auto` is what `setup` chose, else the best installed.

        Raises:
            ModelMissingError: `auto`, and no language model is installed.
        """
        if setting != AUTO:
            return setting
        found = self._auto_id()
        if found is None:
            raise ModelMissingError("no language model is installed", hint="run `ourcli setup`")
        return found

    def locate(self, name: str) -> InstalledModel:
        """Return an installed model by registry id or path of a .gguf file, verified if it changed since it last was.

        Reads whole files when they have to be verified: call it in a thread where that matters.

        Raises:
            ModelMissingError: It is unknown, not installed, or no such file.
            ModelBrokenError: A file is not what was promised.
        """
        if name.lower().endswith(".gguf") and name not in self._registry:
            return _loose_model(Path(name).expanduser().absolute())
        return self._checked(self._registry.get(name))

    def locate_llm(self, setting: str) -> InstalledModel:
        """Return the language model that a setting means.

        Raises:
            ModelMissingError: There is none.
            ModelBrokenError: It is damaged.
            UsageError: It is no language model.
        """
        model = self.locate(self.resolve_llm(setting))
        _must_be_llm(model.spec)
        return model

    def _auto_id(self) -> str | None:
        recorded = self._recorded_choice()
        if recorded is not None:
            return recorded
        best = best_llm(self._registry, self._machine, self._shelf.is_present)
        return best.id if best else None

    def _recorded_choice(self) -> str | None:
        try:
            recorded = _Choice.model_validate_json(self._shelf.choice_file.read_bytes()).llm
        except (OSError, ValidationError):
            return None
        return recorded if recorded in self._registry else None

    def _checked(self, spec: ModelSpec, *, full: bool = False) -> InstalledModel:
        receipts = self._shelf.check(spec, full=full)
        return InstalledModel(
            spec=spec,
            folder=self._shelf.folder(spec),
            files={file.name: self._shelf.path(spec, file) for file in spec.files},
            digests={name: receipt.sha256 for name, receipt in receipts.items()},
        )

    def _status(self, spec: ModelSpec, chosen: str | None) -> ModelStatus:
        return ModelStatus(
            spec=spec,
            installed=self._shelf.is_present(spec),
            fits=self._machine.fits(spec),
            recommended=spec.id == recommended_llm(self._machine),
            chosen=spec.id == chosen,
            sha256=self._shelf.known_digest(spec, spec.weights),
            path=self._shelf.path(spec, spec.weights),
        )

    def _planned(self, spec: ModelSpec) -> PlannedDownload:
        why = spec.about
        if spec.id == recommended_llm(self._machine):
            why += f" (this machine has {self._machine})"
        sources = dict.fromkeys(str(source) for file in spec.files for source in file.sources)
        return PlannedDownload(spec=spec, sources=tuple(sources), bytes=spec.bytes, licence=spec.licence, why=why)


def _must_be_llm(spec: ModelSpec) -> None:
    if spec.kind is not Kind.LLM:
        raise UsageError(f"{spec.id!r} is no language model", hint="`ourcli models list` shows the kinds")


def _loose_model(path: Path) -> InstalledModel:
    """Return a .gguf file outside the registry as a model; its context is what the file itself says when loaded."""
    if not path.is_file():
        raise ModelMissingError(f"there is no file {str(path)!r}", hint="give a path to a .gguf file that exists")
    size = path.stat().st_size
    spec = ModelSpec(
        id=path.stem,
        kind=Kind.LLM,
        format=Format.GGUF,
        about="a file of the user",
        licence="unknown",
        files=(FileSpec(name=path.name, bytes=max(size, 1), sha256=None, sources=(PathSource(path=path),)),),
        memory_bytes=size,
        context_tokens=1_048_576,
        capability=capability_of_size(size),
    )
    return InstalledModel(spec=spec, folder=path.parent, files={path.name: path}, digests={})
