"""The real embedding models: known answers, the reference of the Qwen3 family, damaged files."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ourcli.ai.backends.onnx import PaddedBatch, PaddingSide
from ourcli.ai.backends.onnx_embedding import OnnxEmbeddingModel, OnnxEmbeddingSpec, last_pool, mean_pool
from ourcli.ai.backends.tokenizer import BoundedTokenizer
from ourcli.ai.models.registry import load_registry
from ourcli.ai.models.spec import Pooling
from ourcli.ai.ports import PromptKind
from ourcli.common.errors import ModelBrokenError, ModelError, ModelMissingError
from tests.ai.embedding_models import QWEN3, QWEN3_REFERENCE, open_minilm, qwen3_spec
from tests.promises import promise

CASES = QWEN3_REFERENCE["cases"]
TEXTS = [case["text"] for case in CASES]


def reference(kind: PromptKind, dims: int) -> NDArray[np.float64]:
    """Slice PyTorch's last token, then renormalise."""
    sliced = np.array([case[kind.value]["hidden"] for case in CASES])[:, :dims]
    unit: NDArray[np.float64] = sliced / np.linalg.norm(sliced, axis=1, keepdims=True)
    return unit


@pytest.fixture(scope="module")
def minilm_model(minilm: Path) -> Iterator[OnnxEmbeddingModel]:
    model = open_minilm(minilm)
    yield model
    model.close()


def test_a_missing_model_file_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    spec = replace(qwen3_spec(), model_file=tmp_path / "model.onnx")

    with pytest.raises(ModelMissingError, match=r"model\.onnx") as caught:
        OnnxEmbeddingModel(spec, threads=1).encode(["a"], PromptKind.QUERY)

    assert "ourcli setup" in caught.value.hint


def test_a_missing_tokenizer_is_named(tmp_path: Path) -> None:
    spec = replace(qwen3_spec(), tokenizer_file=tmp_path / "tokenizer.json")

    with pytest.raises(ModelMissingError, match=r"tokenizer\.json"):
        OnnxEmbeddingModel(spec, threads=1).encode(["a"], PromptKind.QUERY)


@promise("ai.embed.damaged-file")
@pytest.mark.parametrize("content", [b"", b"no model", (QWEN3 / "model.onnx").read_bytes()[:200_000]])
def test_a_damaged_model_file_is_an_error_with_a_hint(tmp_path: Path, content: bytes) -> None:
    damaged = tmp_path / "model.onnx"
    damaged.write_bytes(content)

    with pytest.raises(ModelBrokenError) as caught:
        OnnxEmbeddingModel(replace(qwen3_spec(), model_file=damaged), threads=1).encode(["a"], PromptKind.QUERY)

    assert caught.value.hint


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"[1"])
def test_a_damaged_tokenizer_is_an_error_with_a_hint(tmp_path: Path, content: bytes) -> None:
    damaged = tmp_path / "tokenizer.json"
    damaged.write_bytes(content)

    with pytest.raises(ModelBrokenError) as caught:
        OnnxEmbeddingModel(replace(qwen3_spec(), tokenizer_file=damaged), threads=1).encode(["a"], PromptKind.QUERY)

    assert caught.value.hint


def test_a_model_with_shorter_vectors_than_promised_is_refused() -> None:
    with pytest.raises(ModelBrokenError, match="64 numbers, not 384"):
        OnnxEmbeddingModel(qwen3_spec(dims=384), threads=1).encode(["a"], PromptKind.QUERY)


def test_a_closed_model_says_so() -> None:
    model = OnnxEmbeddingModel(qwen3_spec(), threads=1)
    model.encode(["a"], PromptKind.PASSAGE)

    model.close()

    with pytest.raises(ModelError, match="closed"):
        model.encode(["a"], PromptKind.PASSAGE)


def test_a_model_of_another_kind_cannot_embed(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not an embedding model"):
        OnnxEmbeddingSpec.of(load_registry().get("SmolLM2-135M-Instruct"), tmp_path, files_digest="")


def test_the_files_are_opened_at_the_first_text_only(tmp_path: Path) -> None:
    spec = replace(qwen3_spec(), model_file=tmp_path / "missing.onnx")

    model = OnnxEmbeddingModel(spec, threads=1)

    assert model.digest == spec.digest


@pytest.mark.parametrize(
    "change",
    [
        {"files_digest": "other"},
        {"dims": 32},
        {"max_tokens": 100},
        {"pooling": Pooling.MEAN},
        {"query_prompt": ""},
        {"passage_prompt": "passage: "},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_digest_changes_with_all_that_changes_vectors(change: dict[str, object]) -> None:
    assert replace(qwen3_spec(), **change).digest != qwen3_spec().digest  # type: ignore[arg-type]  # one field each


def test_the_digest_stays_when_the_files_move(tmp_path: Path) -> None:
    moved = replace(qwen3_spec(padding_side="left"), model_file=tmp_path / "model.onnx")

    assert moved.digest == qwen3_spec().digest


@promise("ai.embed.qwen3-reference")
@pytest.mark.parametrize("kind", list(PromptKind))
@pytest.mark.parametrize("dims", [64, 24])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("file", ["model.onnx", "cached.onnx"])
def test_a_padded_qwen3_batch_equals_pytorch_on_single_texts(
    monkeypatch: pytest.MonkeyPatch, file: str, side: PaddingSide, dims: int, kind: PromptKind
) -> None:
    monkeypatch.setattr("ourcli.ai.backends.onnx_embedding.BATCH_TOKENS", 1_000_000)
    model = OnnxEmbeddingModel(qwen3_spec(file=file, dims=dims, padding_side=side), threads=1)

    vectors = model.encode(TEXTS, kind)

    assert vectors == pytest.approx(reference(kind, dims), abs=2e-6)


def test_small_qwen3_batches_equal_pytorch_too() -> None:
    vectors = OnnxEmbeddingModel(qwen3_spec(), threads=1).encode(TEXTS, PromptKind.QUERY)

    assert vectors == pytest.approx(reference(PromptKind.QUERY, 64), abs=2e-6)


def test_only_questions_get_the_instruction() -> None:
    tokenizer = BoundedTokenizer(QWEN3 / "tokenizer.json", 512)
    spec = qwen3_spec()

    for case in CASES:
        for kind in PromptKind:
            assert tokenizer.encode(case["text"], prompt=spec.prompt(kind)).ids == case[kind.value]["ids"]
    assert spec.prompt(PromptKind.PASSAGE) == ""


def test_a_cut_qwen3_text_still_ends_with_the_end_token() -> None:
    tokenizer = BoundedTokenizer(QWEN3 / "tokenizer.json", 16)

    cut = tokenizer.encode("keep the cache " * 100_000)

    assert len(cut.ids) == 16
    assert cut.tokens[-1] == "<|endoftext|>"


def test_token_vectors_of_a_question_leave_its_instruction_out() -> None:
    model = OnnxEmbeddingModel(qwen3_spec(), threads=1)
    own = len(BoundedTokenizer(QWEN3 / "tokenizer.json", 512).encode("the cache").ids) - 1

    (tokens,) = model.encode_tokens(["the cache"], PromptKind.QUERY)

    assert len(tokens) == own


@pytest.mark.parametrize("side", ["left", "right"])
def test_pooling_ignores_padding_even_when_it_is_not_a_number(side: PaddingSide) -> None:
    batch = PaddedBatch.of([[7], [7, 8, 9]], side)
    hidden = np.where(batch.mask[:, :, None] == 1, batch.ids[:, :, None], np.nan).astype(np.float32)

    assert mean_pool(hidden, batch.mask).ravel().tolist() == [7, 8]
    assert last_pool(hidden, batch.mask).ravel().tolist() == [7, 9]


@pytest.mark.models
@promise("ai.embed.minilm-known-answer")
def test_minilm_gives_the_published_vector(minilm_model: OnnxEmbeddingModel) -> None:
    """The model card's numbers are of the unquantised model; ours has 8-bit weights."""
    published = [0.0676569, 0.0634959, 0.0487131, 0.0793049, 0.0374480]
    ours = [0.0667870, 0.0611887, 0.0509097, 0.0790211, 0.0383678]

    vector = minilm_model.encode(["This is an example sentence"], PromptKind.PASSAGE)[0]

    assert vector[:5] == pytest.approx(ours, abs=2e-4)
    assert vector[:5] == pytest.approx(published, abs=5e-3)


@pytest.mark.models
def test_minilm_sees_a_paraphrase_without_common_words(minilm_model: OnnxEmbeddingModel) -> None:
    question, answer, other = minilm_model.encode(
        ["How long do cached items live?", "The TTL was set to 15 minutes.", "She plays the violin in an orchestra."],
        PromptKind.PASSAGE,
    )

    assert question @ answer > question @ other + 0.1


@pytest.mark.models
def test_minilm_reads_256_tokens_whatever_its_tokenizer_file_says(minilm: Path) -> None:
    tokenizer = BoundedTokenizer(minilm / "tokenizer.json", load_registry().get("all-MiniLM-L6-v2").context_tokens)

    assert len(tokenizer.encode("one two three").ids) == 5
    assert len(tokenizer.encode("cache " * 1000).ids) == 256


@pytest.mark.models
def test_a_text_of_giant_words_is_read_to_a_bound(minilm: Path) -> None:
    """One word of any length is one unknown token to MiniLM, so no number of characters fills the limit."""
    tokenizer = BoundedTokenizer(minilm / "tokenizer.json", 256)

    assert tokenizer.encode("x" * 256 * 64 + " tail").tokens == ["[CLS]", "[UNK]", "[SEP]"]
    assert tokenizer.encode("x" * 256 * 63 + " tail").tokens == ["[CLS]", "[UNK]", "tail", "[SEP]"]
