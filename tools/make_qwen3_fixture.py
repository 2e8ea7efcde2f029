"""Make the tiny Qwen3-style embedding model that the tests compare with: `python tools/make_qwen3_fixture.py`.

Needs torch, transformers, onnx and tokenizers, which the project itself does not depend on; the results are
committed in `tests/fixtures/qwen3/`. The weights are random (fixed seed), the architecture is the real one.

    tokenizer.json   byte-level BPE whose post-processor appends the end-of-text token, as Qwen3-Embedding's does
    model.onnx       inputs input_ids, attention_mask, position_ids; output last_hidden_state [b, s, 64]
    cached.onnx      the same weights as a text-generation export has them: with past_key_values inputs
    reference.json   for each text and prompt: its token ids and the last token's hidden state [64], from PyTorch,
                     one text at a time, without padding
"""

import json
from pathlib import Path

import torch  # type: ignore[import-not-found]  # see above: not a dependency
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import Qwen3Config, Qwen3Model  # type: ignore[import-not-found]  # likewise
from transformers.cache_utils import DynamicCache  # type: ignore[import-not-found]  # likewise

FOLDER = Path(__file__).parent.parent / "tests" / "fixtures" / "qwen3"
END = "<|endoftext|>"
QUERY_PROMPT = "Instruct: Given a question, retrieve passages that answer it\nQuery:"
TEXTS = [
    "a",
    "cache",
    "what TTL did we decide for the cache?",
    "We decided to use a write-through cache with a 15 minute time to live.",
    "Ünïcödé and 漢字 and 🙂 in one line",
    "  leading spaces, a tab\tand a\nnew line",
    "The store keeps three layers: what was said, what was decided, and what was read. " * 3,
]
LAYERS, HIDDEN, HEADS, KEY_HEADS, HEAD_DIM = 2, 64, 4, 2, 16


def make_tokenizer() -> Tokenizer:
    """Train a byte-level BPE on the texts themselves; the result is the same each time."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*TEXTS, QUERY_PROMPT], trainer)
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, tokenizer.token_to_id(END))]),
        ]
    )
    return tokenizer


def make_model(vocabulary: int) -> Qwen3Model:
    """Build the random model; large initial weights make wrong masks and positions visible."""
    torch.manual_seed(20261122)
    config = Qwen3Config(
        vocab_size=vocabulary,
        hidden_size=HIDDEN,
        intermediate_size=128,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=KEY_HEADS,
        head_dim=HEAD_DIM,
        max_position_embeddings=512,
        initializer_range=0.2,
        attn_implementation="eager",
    )
    return Qwen3Model(config).eval()


class Exported(torch.nn.Module):  # type: ignore[misc]  # its base is unknown without torch
    """The model behind plain tensors: it makes the causal mask itself, which the tracer cannot follow."""

    def __init__(self, model: Qwen3Model) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, position_ids: torch.Tensor, *past: torch.Tensor
    ) -> torch.Tensor:
        """Return the last hidden state, shape [batch, sequence, hidden]."""
        total, new = attention_mask.shape[1], input_ids.shape[1]
        columns = torch.arange(total)[None, :]
        rows = torch.arange(total)[total - new :][:, None]
        allowed = (columns <= rows)[None, None] & attention_mask.bool()[:, None, None, :]
        mask = torch.where(allowed, 0.0, torch.finfo(torch.float32).min)
        cache = DynamicCache() if past else None
        for layer in range(len(past) // 2):
            assert cache is not None
            cache.update(past[2 * layer], past[2 * layer + 1], layer)
        output = self.model(
            input_ids=input_ids,
            attention_mask={"full_attention": mask},
            position_ids=position_ids,
            past_key_values=cache,
            use_cache=bool(past),
        )
        hidden: torch.Tensor = output.last_hidden_state
        return hidden


def export(model: Qwen3Model, path: Path, *, with_past: bool) -> None:
    """Write an ONNX file with free batch and sequence sizes."""
    ids, past_length = torch.ones((2, 5), dtype=torch.int64), 3 if with_past else 0
    names = ["input_ids", "attention_mask", "position_ids"]
    axes = {name: {0: "batch", 1: "sequence"} for name in [*names, "last_hidden_state"]}
    past: list[torch.Tensor] = []
    if with_past:
        axes["attention_mask"] = {0: "batch", 1: "total_sequence"}
        for layer in range(LAYERS):
            for part in ("key", "value"):
                names.append(f"past_key_values.{layer}.{part}")
                axes[names[-1]] = {0: "batch", 2: "past_sequence"}
                past.append(torch.zeros((2, KEY_HEADS, past_length, HEAD_DIM)))
    positions = torch.arange(past_length, past_length + 5)[None, :].expand(2, -1)
    torch.onnx.export(
        Exported(model),
        (ids, torch.ones((2, 5 + past_length), dtype=torch.int64), positions, *past),
        str(path),
        input_names=names,
        output_names=["last_hidden_state"],
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )


def reference(model: Qwen3Model, tokenizer: Tokenizer, text: str) -> dict[str, object]:
    """Return what PyTorch says of one unpadded text."""
    ids = tokenizer.encode(text).ids
    with torch.no_grad():
        hidden = model(input_ids=torch.tensor([ids])).last_hidden_state[0, -1]
    return {"ids": ids, "hidden": [round(value, 7) for value in hidden.tolist()]}


def main() -> None:
    """Write all four files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer()
    tokenizer.save(str(FOLDER / "tokenizer.json"), pretty=False)
    model = make_model(tokenizer.get_vocab_size())
    cases = [
        {
            "text": text,
            "passage": reference(model, tokenizer, text),
            "query": reference(model, tokenizer, QUERY_PROMPT + text),
        }
        for text in TEXTS
    ]
    document = {"query_prompt": QUERY_PROMPT, "hidden_size": HIDDEN, "cases": cases}
    (FOLDER / "reference.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    with torch.no_grad():
        export(model, FOLDER / "model.onnx", with_past=False)
        export(model, FOLDER / "cached.onnx", with_past=True)


if __name__ == "__main__":
    main()
