"""The model side of the fake facade: a registry of one model that nothing has to fetch."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ourcli.ai.models.library import ModelStatus, PlannedDownload
from ourcli.ai.models.spec import Capability, FileSpec, Format, Kind, ModelSpec, WheelSource
from ourcli.common.errors import NotFoundError
from ourcli.common.events import Event, EventSink, NullSink


def a_model(identifier: str = "tiny", *, installed: bool = False) -> ModelStatus:
    """Return a small language model of the registry."""
    file = FileSpec(
        name="tiny.gguf",
        bytes=1_500_000,
        sha256="ab" * 32,
        sources=(WheelSource(package="tiny-model", version="1.0", member="tiny.gguf"),),
    )
    spec = ModelSpec(
        id=identifier,
        kind=Kind.LLM,
        format=Format.GGUF,
        about="for tests",
        licence="Apache-2.0",
        files=(file,),
        memory_bytes=3_000_000,
        context_tokens=2048,
        capability=Capability.FALLBACK,
    )
    return ModelStatus(
        spec=spec,
        installed=installed,
        fits=True,
        recommended=True,
        chosen=installed,
        sha256=file.sha256,
        path=Path("/models") / identifier / file.name,
    )


def a_download(identifier: str = "tiny") -> PlannedDownload:
    """Return what fetching that model would mean."""
    spec = a_model(identifier).spec
    source = str(spec.files[0].sources[0])
    return PlannedDownload(
        spec=spec, sources=(source,), bytes=spec.bytes, licence=spec.licence, why="fits 2 cores and 4 GB"
    )


class FakeModels:
    """Answer from `registry` and `downloads`; emit `progress`."""

    def __init__(self) -> None:
        self.progress: list[Event] = []
        self.downloads: list[PlannedDownload] = []
        self.registry: dict[str, ModelStatus] = {"tiny": a_model()}

    @abstractmethod
    def _begin(self, name: str = "", *arguments: object) -> None:
        """Note a call; raise what the test wants raised."""

    async def setup_plan(self, llm: str | None, small: bool) -> Sequence[PlannedDownload]:  # noqa: FBT001
        """Return `downloads`."""
        self._begin("setup_plan", llm, small)
        return tuple(self.downloads)

    async def setup(
        self,
        llm: str | None,
        small: bool,  # noqa: FBT001
        listen: EventSink = NullSink(),  # noqa: B008
    ) -> Sequence[ModelStatus]:
        """Pull every download; return what is installed."""
        self._begin("setup", llm, small)
        for download in list(self.downloads):
            await self.pull(download.spec.id, listen)
        return await self.verify()

    async def models(self) -> Sequence[ModelStatus]:
        """Return `registry`."""
        self._begin()
        return tuple(self.registry.values())

    def _known(self, model: str) -> ModelStatus:
        self._begin()
        if model not in self.registry:
            raise NotFoundError(f"no model {model!r}", hint="`ourcli models list` shows the registry")
        return self.registry[model]

    async def pull(self, model: str, listen: EventSink = NullSink()) -> ModelStatus:  # noqa: B008
        """Mark a model as installed."""
        known = self._known(model)
        for event in self.progress:
            listen.emit(event)
        self.registry[model] = replace(known, installed=True)
        self.downloads = [download for download in self.downloads if download.spec.id != model]
        return self.registry[model]

    async def verify(self) -> Sequence[ModelStatus]:
        """Return what is installed."""
        self._begin()
        return tuple(model for model in self.registry.values() if model.installed)

    async def use(self, model: str) -> ModelStatus:
        """Return the model."""
        return self._known(model)

    async def remove(self, model: str) -> ModelStatus:
        """Mark a model as not installed."""
        self.registry[model] = replace(self._known(model), installed=False)
        return self.registry[model]
