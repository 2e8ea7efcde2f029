"""The real embedding models of the tests: MiniLM as `setup` installs it, and the committed tiny Qwen3."""

import json
from pathlib import Path
from typing import Any

from ourcli.ai.backends.onnx import PaddingSide
from ourcli.ai.backends.onnx_embedding import OnnxEmbeddingModel, OnnxEmbeddingSpec
from ourcli.ai.models.registry import load_registry
from ourcli.ai.models.spec import Pooling

QWEN3 = Path(__file__).parent.parent / "fixtures" / "qwen3"
QWEN3_REFERENCE: dict[str, Any] = json.loads((QWEN3 / "reference.json").read_text(encoding="utf-8"))


def open_minilm(folder: Path) -> OnnxEmbeddingModel:
    """Return the model of the registry; the test closes it."""
    spec = OnnxEmbeddingSpec.of(load_registry().get("all-MiniLM-L6-v2"), folder, files_digest="minilm")
    return OnnxEmbeddingModel(spec, threads=2)


def qwen3_spec(
    *,
    file: str = "model.onnx",
    dims: int = 64,
    max_tokens: int = 512,
    padding_side: PaddingSide = "right",
) -> OnnxEmbeddingSpec:
    """Return the spec of a tiny Qwen3 of two layers and 64 hidden numbers with random weights."""
    return OnnxEmbeddingSpec(
        model_file=QWEN3 / file,
        tokenizer_file=QWEN3 / "tokenizer.json",
        files_digest="qwen3",
        dims=dims,
        max_tokens=max_tokens,
        pooling=Pooling.LAST,
        query_prompt=QWEN3_REFERENCE["query_prompt"],
        padding_side=padding_side,
    )
