"""Show models of the registry."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ourcli.cli.amounts import in_bytes
from ourcli.cli.invocation import Invocation

if TYPE_CHECKING:
    from ourcli.ai.models.library import ModelStatus


def model_data(model: "ModelStatus") -> dict[str, object]:
    """Return a model with the keys of CLI.md; `path` is null while it is not installed."""
    spec = model.spec
    return {
        "id": spec.id,
        "kind": spec.kind,
        "installed": model.installed,
        "licence": spec.licence,
        "bytes": spec.bytes,
        "sha256": model.sha256,
        "capability": spec.capability,
        "fits": model.fits,
        "recommended": model.recommended,
        "chosen": model.chosen,
        "memory_bytes": spec.memory_bytes,
        "path": model.path if model.installed else None,
    }


def show_models(invocation: Invocation, models: "Sequence[ModelStatus]") -> None:
    """Write models: as `{"models": [...]}`, or a row each."""
    if invocation.json:
        invocation.output.document({"models": [model_data(model) for model in models]})
        return
    invocation.output.table(
        ("model", "kind", "state", "size", "memory", "licence", "capability"), [_row(model) for model in models]
    )


def _row(model: "ModelStatus") -> tuple[str, ...]:
    spec = model.spec
    return (
        spec.id,
        spec.kind.value,
        _state(model),
        in_bytes(spec.bytes),
        in_bytes(spec.memory_bytes) + ("" if model.fits else " (too much here)"),
        spec.licence,
        spec.capability.value if spec.capability else "-",
    )


def _state(model: "ModelStatus") -> str:
    """Return the state in words: installed or not, in use, recommended."""
    words = ["installed" if model.installed else "-"]
    if model.chosen:
        words.append("in use")
    if model.recommended:
        words.append("recommended")
    return ", ".join(words)
