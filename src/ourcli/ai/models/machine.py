"""What a machine can run, and which language model suits it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ourcli.ai.models.registry import Registry
from ourcli.ai.models.spec import Capability, Kind, ModelSpec

LARGE = "Qwen2.5-Coder-1.5B-Instruct"
MEDIUM = "Qwen2.5-Coder-0.5B-Instruct"
SMALL = "SmolLM2-135M-Instruct"

LARGE_NEEDS_CORES = 4
LARGE_NEEDS_MEMORY_BYTES = 8_000_000_000

USABLE_SHARE = 0.75
"""Part of the memory that a model may take; the rest is the system's, the store's and the user's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The cores and the memory that this process may use."""

    cores: int
    memory_bytes: int

    def fits(self, spec: ModelSpec) -> bool:
        """Say whether the model runs here without starving everything else."""
        return spec.memory_bytes <= self.memory_bytes * USABLE_SHARE

    def __str__(self) -> str:
        return f"{self.cores} cores and {self.memory_bytes / 1e9:.0f} GB"


def recommended_llm(machine: Machine) -> str:
    """Return the id of the language model that `setup` chooses for `machine`."""
    large = machine.cores >= LARGE_NEEDS_CORES and machine.memory_bytes >= LARGE_NEEDS_MEMORY_BYTES
    return LARGE if large else MEDIUM


def best_llm(registry: Registry, machine: Machine, installed: Callable[[ModelSpec], bool]) -> ModelSpec | None:
    """Return the installed language model that suits `machine` best, or None when none is installed.

    The recommended one wins; else the ablest that fits; else, when none fits, the smallest.
    """
    here = [spec for spec in registry if spec.kind is Kind.LLM and installed(spec)]
    recommended = recommended_llm(machine)
    for spec in here:
        if spec.id == recommended:
            return spec
    return _ablest(spec for spec in here if machine.fits(spec)) or min(here, key=_memory, default=None)


def capability_of_size(size_bytes: int) -> Capability:
    """Guess what a .gguf of this size can be trusted with; the size is all that is known of a foreign file.

    The bounds lie between the sizes of the registry's own models (135M: 0.1 GB, 0.5B: 0.5 GB, 4B: 2.5 GB).
    """
    if size_bytes < 350_000_000:
        return Capability.FALLBACK
    return Capability.ASSISTANT if size_bytes < 2_300_000_000 else Capability.PLANNER


def _ablest(specs: Iterable[ModelSpec]) -> ModelSpec | None:
    return max(
        specs, key=lambda spec: (spec.capability.rank if spec.capability else -1, spec.memory_bytes), default=None
    )


def _memory(spec: ModelSpec) -> int:
    return spec.memory_bytes
