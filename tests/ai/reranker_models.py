"""The real reranker of the tests: the committed tiny Qwen3 of `tools/make_qwen3_reranker_fixture.py`."""

import json
from pathlib import Path
from typing import Any

from ourcli.ai.backends.onnx_reranker import MAX_TOKENS, OnnxRerankerSpec

QWEN3_RERANKER = Path(__file__).parent.parent / "fixtures" / "qwen3_reranker"
PAIRS: list[dict[str, Any]] = json.loads((QWEN3_RERANKER / "reference.json").read_text(encoding="utf-8"))["pairs"]


def reranker_spec(*, file: str = "yesno.onnx", max_tokens: int = MAX_TOKENS) -> OnnxRerankerSpec:
    """Return the spec of a tiny Qwen3 of two layers and 64 hidden numbers with random weights."""
    return OnnxRerankerSpec(
        model_file=QWEN3_RERANKER / file, tokenizer_file=QWEN3_RERANKER / "tokenizer.json", max_tokens=max_tokens
    )
