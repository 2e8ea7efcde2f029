"""Which model suits which machine."""

import pytest

from ourcli.ai.backends.this_machine import this_machine
from ourcli.ai.models.machine import Machine, best_llm, capability_of_size, recommended_llm
from ourcli.ai.models.registry import load_registry
from ourcli.ai.models.spec import Capability
from tests.promises import promise


@pytest.mark.parametrize(
    ("cores", "memory_gb", "expected"),
    [
        (1, 2, "Qwen2.5-Coder-0.5B-Instruct"),
        (2, 64, "Qwen2.5-Coder-0.5B-Instruct"),
        (16, 7.9, "Qwen2.5-Coder-0.5B-Instruct"),
        (4, 8, "Qwen2.5-Coder-1.5B-Instruct"),
        (64, 512, "Qwen2.5-Coder-1.5B-Instruct"),
    ],
)
@promise("ai.models.fits-machine")
def test_setup_takes_the_larger_model_from_four_cores_and_eight_gigabytes(
    cores: int, memory_gb: float, expected: str
) -> None:
    assert recommended_llm(Machine(cores=cores, memory_bytes=int(memory_gb * 1e9))) == expected


@promise("ai.models.fits-machine")
def test_a_model_fits_when_it_leaves_a_quarter_of_the_memory() -> None:
    machine = Machine(cores=8, memory_bytes=8_000_000_000)
    fitting = {spec.id for spec in load_registry() if machine.fits(spec)}
    assert "Qwen3-4B" in fitting
    assert "Qwen3-8B" not in fitting


@pytest.mark.parametrize(
    ("installed", "memory_gb", "expected"),
    [
        (set(), 16, None),
        ({"all-MiniLM-L6-v2"}, 16, None),
        ({"SmolLM2-135M-Instruct", "Qwen2.5-Coder-0.5B-Instruct", "Qwen3-4B"}, 16, "Qwen2.5-Coder-0.5B-Instruct"),
        ({"SmolLM2-135M-Instruct", "Qwen3-1.7B", "Qwen3-4B"}, 16, "Qwen3-4B"),
        ({"SmolLM2-135M-Instruct", "Qwen3-1.7B", "Qwen3-4B"}, 5, "Qwen3-1.7B"),
        ({"Qwen3-4B", "Qwen3-8B"}, 1, "Qwen3-4B"),
    ],
)
def test_the_best_installed_model_is_the_recommended_else_the_ablest_that_fits(
    installed: set[str], memory_gb: float, expected: str | None
) -> None:
    machine = Machine(cores=2, memory_bytes=int(memory_gb * 1e9))
    best = best_llm(load_registry(), machine, lambda spec: spec.id in installed)
    assert (best.id if best else None) == expected


def test_the_size_guess_agrees_with_the_registry() -> None:
    for spec in load_registry():
        if spec.capability is not None:
            assert capability_of_size(spec.bytes) == spec.capability


def test_a_tiny_file_is_a_fallback() -> None:
    assert capability_of_size(0) is Capability.FALLBACK


def test_this_machine_has_a_core_and_some_memory() -> None:
    machine = this_machine()
    assert machine.cores >= 1
    assert machine.memory_bytes > 100_000_000
