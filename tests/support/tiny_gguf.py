"""Make a language model of a few hundred kilobytes: random llama weights, a byte tokenizer, a chat template.

It says nothing sensible, but llama.cpp loads it in milliseconds and everything around a model can be
tried on it: streams, limits, grammars, cancellation, damaged files. Same arguments, same bytes.
"""

from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType

TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
WIDTH, HEADS, LAYERS, HIDDEN = 32, 2, 2, 64


def _byte_letters() -> list[str]:
    """Return the letter that byte-level BPE writes for each byte, as GPT-2 does."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    letters = {byte: chr(byte) for byte in plain}
    rest = [byte for byte in range(256) if byte not in letters]
    letters.update({byte: chr(256 + place) for place, byte in enumerate(rest)})
    return [letters[byte] for byte in range(256)]


def make_tiny_gguf(path: Path, *, seed: int = 0, context_tokens: int = 4096) -> Path:
    """Write the model to `path` and return it; another `seed` makes another model.

    Each byte of a text is one token, so that token counts can be checked by hand.
    """
    writer = GGUFWriter(path, "llama")
    _write_shape(writer, context_tokens)
    _write_tokenizer(writer)
    _write_tensors(writer, np.random.default_rng(seed))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _write_shape(writer: GGUFWriter, context_tokens: int) -> None:
    writer.add_name("tiny")
    writer.add_context_length(context_tokens)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(0)


def _write_tokenizer(writer: GGUFWriter) -> None:
    tokens = [*SPECIAL, *_byte_letters()]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.CONTROL] * len(SPECIAL) + [TokenType.NORMAL] * 256)
    writer.add_token_merges(["\u0100 \u0100"])  # llama.cpp wants a list; no text has these two bytes side by side
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)


def _write_tensors(writer: GGUFWriter, random: np.random.Generator) -> None:
    def add(name: str, *shape: int) -> None:
        writer.add_tensor(name, random.normal(0, 0.3, shape).astype(np.float32))

    vocabulary = len(SPECIAL) + 256
    add("token_embd.weight", vocabulary, WIDTH)
    add("output.weight", vocabulary, WIDTH)
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, dtype=np.float32))
    for layer in range(LAYERS):
        for norm in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{norm}.weight", np.ones(WIDTH, dtype=np.float32))
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"blk.{layer}.{part}.weight", WIDTH, WIDTH)
        add(f"blk.{layer}.ffn_gate.weight", HIDDEN, WIDTH)
        add(f"blk.{layer}.ffn_up.weight", HIDDEN, WIDTH)
        add(f"blk.{layer}.ffn_down.weight", WIDTH, HIDDEN)
