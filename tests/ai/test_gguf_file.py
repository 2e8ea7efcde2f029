"""Damaged model files: none may end the process, all must say what to do."""

import random
import struct
import tempfile
from pathlib import Path

import pytest
from gguf import GGUFReader

from ourcli.ai.backends.gguf_file import read_header
from ourcli.ai.backends.gguf_probe import probe
from ourcli.ai.backends.llama_cpp import LlamaCppModel
from ourcli.common.errors import ModelBrokenError, ModelError, ModelMissingError
from tests.promises import promise
from tests.support.tiny_gguf import make_tiny_gguf

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_tiny_gguf(tmp_path_factory.mktemp("whole") / "tiny.gguf").read_bytes()


async def load(path: Path, *, verified: bool = False) -> None:
    model = await LlamaCppModel.load(path, name="x", context_tokens=256, threads=1, verified=verified)
    await model.close()


@pytest.mark.parametrize(
    "content",
    [b"", b"GGUF", b"GG", b"<html>404</html>", b"GGUF" + b"\xff" * 64, b"GGUF" + b"\0" * 4096, b"\0" * 100_000],
    ids=["empty", "magic", "half", "page", "ones", "zeros", "no-magic"],
)
@promise("ai.llm.broken-file")
async def test_what_is_no_model_is_refused_with_a_hint(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(content)

    with pytest.raises(ModelBrokenError, match="damaged") as refused:
        await load(path)

    assert refused.value.hint


async def test_a_missing_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError):
        await load(tmp_path / "none.gguf")
    with pytest.raises(ModelError, match="cannot read"):
        await load(tmp_path)


@promise("ai.llm.broken-file")
async def test_a_model_cut_off_anywhere_is_refused(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "cut.gguf"
    places = random.Random(1)
    cuts = [*(places.randrange(len(whole)) for _ in range(30)), 24, 5855, 5856, len(whole) - 64, len(whole) - 1]

    for cut in cuts:
        path.write_bytes(whole[:cut])
        with pytest.raises(ModelBrokenError):
            await load(path, verified=True)


def test_a_header_with_random_damage_is_read_or_refused(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "damaged.gguf"
    places = random.Random(2)
    refused = 0

    for _ in range(500):
        damaged = bytearray(whole)
        for _ in range(places.choice([1, 2, 8])):
            damaged[places.randrange(4, 5856)] = places.randrange(256)
        path.write_bytes(damaged)
        try:
            read_header(path)
        except ModelBrokenError:
            refused += 1

    assert refused > 100


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("llama.context_length", 0),
        ("llama.context_length", 2**32 - 1),
        ("llama.block_count", 0),
        ("llama.block_count", 2**20),
        ("llama.attention.layer_norm_rms_epsilon", 2**31 - 1),
    ],
)
def test_values_that_make_llama_cpp_abort_are_refused_before_it_sees_them(
    tmp_path: Path, whole: bytes, key: str, value: int
) -> None:
    path = tmp_path / "aborts.gguf"
    path.write_bytes(whole)
    reader = GGUFReader(path)
    start = reader.fields[key].offset + 8 + len(key) + 4
    del reader
    path.write_bytes(whole[:start] + struct.pack("<I", value) + whole[start + 4 :])

    with pytest.raises(ModelBrokenError, match=key.rpartition(".")[2]):
        read_header(path)


async def test_a_file_of_unknown_origin_is_tried_in_its_own_process(tmp_path: Path, whole: bytes) -> None:
    good, bad = tmp_path / "good.gguf", tmp_path / "bad.gguf"
    good.write_bytes(whole)
    bad.write_bytes(whole.replace(b"blk.1.attn_q.weight", b"blk.7.attn_q.weight"))

    await probe(good, threads=1)
    with pytest.raises(ModelBrokenError, match="refuses") as refused:
        await load(bad)

    assert refused.value.hint


async def test_a_model_that_kills_its_process_is_an_error_and_leaves_nothing(
    tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    path, letter = tmp_path / "twice.gguf", struct.Struct("<Q").pack(1)
    path.write_bytes(whole.replace(letter + b"A" + letter + b"B", letter + b"A" + letter + b"A"))  # a word twice
    read_header(path)

    with pytest.raises(ModelBrokenError, match="crashes") as refused:
        await load(path)

    assert refused.value.hint
    assert list(temporary.iterdir()) == []


@pytest.mark.models
@promise("ai.llm.broken-file")
async def test_the_real_small_model_cut_off_is_refused(tmp_path: Path, smollm: Path) -> None:
    real = smollm.read_bytes()  # noqa: ASYNC240 - nothing else runs in this loop
    path = tmp_path / "cut.gguf"

    for share in (0.001, 0.01, 0.3, 0.999):
        path.write_bytes(real[: int(len(real) * share)])
        with pytest.raises(ModelBrokenError):
            await load(path, verified=True)

    assert read_header(smollm).context_tokens == 8192
