"""The facade's side of models: set up, pull, verify, choose, remove."""

from collections.abc import Mapping, Sequence

from ourcli.ai.models.library import ModelLibrary, ModelStatus, PlannedDownload
from ourcli.ai.models.ports import DOWNLOAD_PURPOSE
from ourcli.ai.models.spec import Kind
from ourcli.app.configuration import set_setting
from ourcli.common.errors import ModelError, ModelMissingError
from ourcli.common.events import EventSink
from ourcli.common.net import Gate
from ourcli.config.locations import Home
from ourcli.config.settings import Settings

_SETTING_OF: Mapping[Kind, str] = {
    Kind.LLM: "ai.llm_model",
    Kind.EMBEDDING: "ai.embed_model",
    Kind.RERANKER: "ai.rerank_model",
}


class ModelDesk:
    """What commands ask about models.

    Args:
        library: The models of this machine.
        settings: Which embedder is configured.
        home: Whose configuration `use` writes.
        environment: Tells which configuration file that is.
        gate: Learns of the user's consent.
    """

    def __init__(
        self,
        library: ModelLibrary,
        settings: Settings,
        *,
        home: Home,
        environment: Mapping[str, str],
        gate: Gate,
    ) -> None:
        self._library, self._settings = library, settings
        self._home, self._environment, self._gate = home, environment, gate

    def setup_plan(self, llm: str | None, *, small: bool) -> tuple[PlannedDownload, ...]:
        """Return what `setup` would fetch; empty when everything is here."""
        return self._library.plan(self._setup_ids(llm, small=small))

    async def setup(self, llm: str | None, *, small: bool, listen: EventSink) -> tuple[ModelStatus, ...]:
        """Fetch what the plan names, with the consent that the user gave, and note the choice."""
        self._gate.consent(DOWNLOAD_PURPOSE)
        ids = self._setup_ids(llm, small=small)
        for model in ids:
            await self._library.pull(model, listen)
        self._library.choose(ids[-1])
        return self._named(ids)

    def _setup_ids(self, llm: str | None, *, small: bool) -> tuple[str, ...]:
        return self._library.setup_ids(self._settings.ai.embed_model, llm=llm, small=small)

    def all(self) -> tuple[ModelStatus, ...]:
        """Return the registry."""
        return self._library.statuses()

    async def pull(self, model: str, listen: EventSink) -> ModelStatus:
        """Fetch and verify a model."""
        await self._library.pull(model, listen)
        return self._named([model])[0]

    async def verify(self) -> tuple[ModelStatus, ...]:
        """Check the digests of every installed model.

        Raises:
            ModelMissingError: No model is installed.
            ModelBrokenError: One is damaged; all others were checked as well.
        """
        installed = [status.spec.id for status in self._library.statuses() if status.installed]
        if not installed:
            raise ModelMissingError("no model is installed", hint="run `ourcli setup`")
        failures: list[ModelError] = []
        for model in installed:
            try:
                await self._library.verify(model)
            except ModelError as exc:
                failures.append(exc)
        if failures:
            raise failures[0]
        return self._named(installed)

    async def use(self, model: str) -> ModelStatus:
        """Make a model the configured one of its kind."""
        status = self._named([model])[0]
        if not status.installed:
            raise ModelMissingError(f"{model} is not installed", hint=f"OURCLI_NET=1 ourcli models pull {model}")
        set_setting(self._home, self._environment, _SETTING_OF[status.spec.kind], model)
        return status

    async def remove(self, model: str) -> ModelStatus:
        """Delete a model's files."""
        await self._library.remove(model)
        return self._named([model])[0]

    def _named(self, ids: Sequence[str]) -> tuple[ModelStatus, ...]:
        by_id = {status.spec.id: status for status in self._library.statuses()}
        return tuple(by_id[self._library.registry.get(model).id] for model in ids)
