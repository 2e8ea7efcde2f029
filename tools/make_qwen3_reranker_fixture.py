"""Make the tiny Qwen3-style reranker that the tests compare with: `python tools/make_qwen3_reranker_fixture.py`.

Needs torch, transformers, onnx and tokenizers, which the project itself does not depend on; the results are
committed in `tests/fixtures/qwen3_reranker/`. The weights are random (fixed seed), the architecture is the real one,
and so are prompt and score (the model card's), written down here a second time and on purpose not imported.

    tokenizer.json   byte-level BPE with the chat format's marks and the words yes and no
    yesno.onnx       inputs input_ids, attention_mask; output logits [b, 2], of no and yes at the last position
    full.onnx        inputs input_ids, attention_mask, position_ids; output logits [b, s, vocabulary]
    reference.json   for each pair: its token ids and, from PyTorch, one pair at a time and without padding, the two
                     logits and the probability of yes
"""

import json
from pathlib import Path

import torch  # type: ignore[import-not-found]  # see above: not a dependency
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import Qwen3Config, Qwen3ForCausalLM  # type: ignore[import-not-found]  # likewise

FOLDER = Path(__file__).parent.parent / "tests" / "fixtures" / "qwen3_reranker"
SYSTEM = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct provided. "
    'Note that the answer can only be "yes" or "no".'
)
PREFIX = f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n"
SUFFIX = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"
MARKS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
WORDS = ["<think>", "</think>"]
PAIRS = [
    ("what TTL did we decide for the cache?", "We decided to use a write-through cache with a 15 minute time to live."),
    ("what TTL did we decide for the cache?", "The violin concerto has three movements."),
    ("what TTL did we decide for the cache?", "a"),
    ("cache", "The store keeps three layers: what was said, what was decided, and what was read. " * 3),
    ("Wie lange lebt ein Eintrag? 漢字", "Ünïcödé and 漢字 and 🙂 in one line"),
    ("yes or no?", "  leading spaces, a tab\tand a\nnew line, yes, no"),
]
LAYERS, HIDDEN, HEADS, KEY_HEADS, HEAD_DIM = 2, 64, 4, 2, 16


def make_tokenizer() -> Tokenizer:
    """Train a byte-level BPE on the texts themselves; the result is the same each time."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=MARKS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [SYSTEM, INSTRUCTION, *(text for pair in PAIRS for text in pair), *["yes", "no"] * 50]
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(word, special=False) for word in WORDS])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def make_model(vocabulary: int) -> Qwen3ForCausalLM:
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
        max_position_embeddings=1024,
        initializer_range=0.2,
        tie_word_embeddings=True,
        attn_implementation="eager",
    )
    return Qwen3ForCausalLM(config).eval()


class Exported(torch.nn.Module):  # type: ignore[misc]  # its base is unknown without torch
    """The model behind plain tensors: it makes the causal mask itself, which the tracer cannot follow."""

    def __init__(self, model: Qwen3ForCausalLM, chosen: list[int] | None) -> None:
        super().__init__()
        self.model = model.model
        rows = model.lm_head.weight if chosen is None else model.lm_head.weight[chosen]
        self.head = torch.nn.Linear(HIDDEN, len(rows), bias=False)
        self.head.weight = torch.nn.Parameter(rows.detach().clone())
        self.last_only = chosen is not None

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, position_ids: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return logits: of the choices at the last position, or of all tokens everywhere."""
        places = torch.arange(input_ids.shape[1])
        allowed = (places[None, :] <= places[:, None])[None, None] & attention_mask.bool()[:, None, None, :]
        mask = torch.where(allowed, 0.0, torch.finfo(torch.float32).min)
        hidden = self.model(
            input_ids=input_ids,
            attention_mask={"full_attention": mask},
            position_ids=places[None, :].expand_as(input_ids) if position_ids is None else position_ids,
            use_cache=False,
        ).last_hidden_state
        logits: torch.Tensor = self.head(hidden[:, -1] if self.last_only else hidden)
        return logits


def export(model: Qwen3ForCausalLM, path: Path, chosen: list[int] | None) -> None:
    """Write an ONNX file with free batch and sequence sizes; with chosen ones as the exporters of two logits do it."""
    ids = torch.ones((2, 5), dtype=torch.int64)
    given = [ids, ids] if chosen else [ids, ids, torch.arange(5)[None, :].expand(2, -1)]
    names = ["input_ids", "attention_mask", "position_ids"][: len(given)]
    axes = {name: {0: "batch", 1: "sequence"} for name in names}
    axes["logits"] = {0: "batch"} if chosen else {0: "batch", 1: "sequence"}
    torch.onnx.export(
        Exported(model, chosen),
        tuple(given),
        str(path),
        input_names=names,
        output_names=["logits"],
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )


def reference(model: Qwen3ForCausalLM, tokenizer: Tokenizer, query: str, text: str) -> dict[str, object]:
    """Return what PyTorch says of one unpadded pair."""
    body = f"<Instruct>: {INSTRUCTION}\n<Query>: {query}\n<Document>: {text}"
    ids = [number for part in (PREFIX, body, SUFFIX) for number in tokenizer.encode(part).ids]
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids])).logits[0, -1]
    two = logits[choices(tokenizer)]
    return {
        "query": query,
        "text": text,
        "ids": ids,
        "logits": [round(value, 7) for value in two.tolist()],
        "yes": round(torch.softmax(two, dim=0)[1].item(), 8),
    }


def choices(tokenizer: Tokenizer) -> list[int]:
    """Return the numbers of no and yes, in this order."""
    found = [tokenizer.token_to_id(word) for word in ("no", "yes")]
    return [number for number in found if number is not None]


def main() -> None:
    """Write all four files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer()
    tokenizer.save(str(FOLDER / "tokenizer.json"), pretty=False)
    model = make_model(tokenizer.get_vocab_size())
    pairs = [reference(model, tokenizer, query, text) for query, text in PAIRS]
    (FOLDER / "reference.json").write_text(json.dumps({"pairs": pairs}, indent=1), encoding="utf-8")
    with torch.no_grad():
        export(model, FOLDER / "yesno.onnx", choices(tokenizer))
        export(model, FOLDER / "full.onnx", None)


if __name__ == "__main__":
    main()
