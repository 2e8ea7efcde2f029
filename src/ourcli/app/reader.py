"""The language model of an answer: which one it is, loaded when it is first needed, and how fast it reads."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from ourcli.ai.budget import PrefillRates, prompt_budget
from ourcli.ai.models.library import InstalledModel, ModelLibrary
from ourcli.ai.models.spec import Capability
from ourcli.ai.ports import Finished, LanguageModel
from ourcli.common.errors import ModelMissingError


class Reader(Protocol):
    """A language model with what an answer needs to know of it."""

    @property
    def name(self) -> str:
        """Registry id or file name."""
        ...

    @property
    def capability(self) -> Capability:
        """What it can be trusted with; known before it is loaded."""
        ...

    async def model(self) -> LanguageModel:
        """Return the model, loaded."""
        ...

    async def prompt_tokens(self, answer_tokens: int) -> int:
        """Return how many prompt tokens fit its context and the time that reading may take."""
        ...

    def note(self, finished: Finished) -> None:
        """Learn from the speed that was measured."""
        ...

    def notices(self) -> tuple[str, ...]:
        """Return what the user should know of a model that answered."""
        ...


class LocalReader:
    """A model of this machine.

    Args:
        installed: Its files, verified.
        load: Loads it; further calls return the same one.
        rates: What is known of reading speeds.
        library: Names the model that would fit this machine.
        prefill_seconds: Longest time that reading a prompt may take.
    """

    def __init__(
        self,
        installed: InstalledModel,
        load: Callable[[], Awaitable[LanguageModel]],
        rates: PrefillRates,
        library: ModelLibrary,
        *,
        prefill_seconds: float,
    ) -> None:
        self._installed = installed
        self._load = load
        self._rates = rates
        self._library = library
        self._prefill_seconds = prefill_seconds

    @property
    def name(self) -> str:
        """Registry id or file name."""
        return self._installed.spec.id

    @property
    def capability(self) -> Capability:
        """What it can be trusted with."""
        return self._installed.spec.capability or Capability.FALLBACK

    async def model(self) -> LanguageModel:
        """Return the model, loaded.

        Raises:
            ModelBrokenError: Its file is damaged.
        """
        return await self._load()

    async def prompt_tokens(self, answer_tokens: int) -> int:
        """Return how many prompt tokens fit its context and the time that reading may take."""
        model = await self.model()
        return prompt_budget(
            context_tokens=model.context_tokens,
            answer_tokens=answer_tokens,
            prefill_rate_tokens_per_s=self._rates.rate(self.name, weights_bytes=self._installed.bytes),
            prefill_seconds=self._prefill_seconds,
        )

    def note(self, finished: Finished) -> None:
        """Learn from the speed that was measured."""
        self._rates.note(self.name, finished)

    def notices(self) -> tuple[str, ...]:
        """Return the one line about a model that is too small for free answers."""
        fitting = self._library.recommended_llm()
        if self.capability is not Capability.FALLBACK or self.name == fitting.id:
            return ()
        return (
            f"{self.name} is a small model that invents; {fitting.id} fits this machine: "
            f"OURCLI_NET=1 ourcli models pull {fitting.id}",
        )


class NoReader:
    """Stands where a plan needs no language model, so that notes can be taken before one is installed."""

    name = ""
    capability = Capability.FALLBACK

    async def model(self) -> LanguageModel:
        """Refuse: no step of this plan should ask.

        Raises:
            ModelMissingError: Always.
        """
        raise ModelMissingError("this plan has no language model", hint="run `ourcli setup`")

    async def prompt_tokens(self, answer_tokens: int) -> int:
        """Return no room: there is nothing that could read."""
        return min(0, answer_tokens)

    def note(self, finished: Finished) -> None:
        """Learn nothing from an answer that cannot have been made."""

    def notices(self) -> tuple[str, ...]:
        """Return none."""
        return ()
