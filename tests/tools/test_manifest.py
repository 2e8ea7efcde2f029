"""Manifests: the original form, the full one, and hostile ones."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ourcli.common.errors import PluginError
from ourcli.tools.data import Json, dump
from ourcli.tools.manifest import MOST_BYTES, Limits, Mode, read_manifest
from ourcli.tools.manifest_schema import manifest_schema
from tests.promises import promise

PLACE = Path("hello/manifest.json")
ORIGINAL = (
    b'{"name": "hello", "description": "Greets the world", "inputs": [{"name": "name", "type": "string"}], '
    b'"outputs": [{"name": "greeting", "type": "string"}]}'
)
TOOL: dict[str, Json] = {"name": "do", "description": "Does", "inputSchema": {"type": "object"}}
FULL: dict[str, Json] = {
    "name": "text",
    "version": "1.2.0",
    "description": "Counts words",
    "entry": "text.wasm",
    "spec": [TOOL],
    "capabilities": ["fs:read=/data", "clock"],
    "limits": {"memory_mib": 64, "timeout_ms": 500, "fuel": 1000, "output_bytes": 4096},
    "mode": "fresh",
    "license": "MIT",
    "homepage": "https://example.org/text",
}


def without(*names: str, **changes: Json) -> bytes:
    return dump({name: value for name, value in FULL.items() if name not in names} | changes)


@promise("tools.manifest.simple")
def test_the_original_manifest_works_as_it_is() -> None:
    manifest = read_manifest(ORIGINAL, PLACE)

    (tool,) = manifest.tools
    assert (manifest.name, tool.name, manifest.instance_mode) == ("hello", "hello", Mode.FRESH)
    assert tool.input_schema == {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    }
    assert tool.output_schema is not None
    assert tool.output_schema["required"] == ["greeting"]


@promise("tools.manifest.full")
@pytest.mark.parametrize("word", ["spec", "tools"])
def test_the_full_manifest_is_read(word: str) -> None:
    manifest = read_manifest(dump({word if name == "spec" else name: value for name, value in FULL.items()}), PLACE)

    assert [tool.name for tool in manifest.tools] == ["do"]
    assert manifest.instance_mode is Mode.FRESH
    assert manifest.limits == Limits(memory_mib=64, timeout_ms=500, fuel=1000, output_bytes=4096)
    assert [str(one) for one in manifest.requested()] == ["fs:read=/data", "clock"]


@promise("tools.manifest.hostile")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no JSON"),
        (b"{" * 100_000, "no JSON"),
        (b" " * (MOST_BYTES + 1), "larger than"),
        (b"[]", "not valid"),
        (b'{"name":"a","name":"b","description":""}', "there twice"),
        (b"\xff\xfe{}", "UTF-8"),
        (without("name"), "name: Field required"),
        (without(nme="x"), "nme: Extra inputs"),
        (without(name="Hello"), "name"),
        (without(name="he\u043blo"), "name"),
        (without(name="hello\u202e"), "name"),
        (without(name="hello\n"), "name"),
        (without(name="../hello"), "name"),
        (without(name="a.b"), "name"),
        (without(name="a" * 65), "name"),
        (without(name=""), "name"),
        (without(entry="../text.wasm"), "entry"),
        (without(entry="/etc/text.wasm"), "entry"),
        (without(entry="text.wasm\0"), "entry"),
        (without(entry=".hidden.wasm"), "entry"),
        (without(entry="text.py"), "entry"),
        (without(limits={"memory_mib": 99_999_999}), "memory_mib"),
        (without(limits={"memory_mib": 0}), "memory_mib"),
        (without(limits={"timeout_ms": 10**12}), "timeout_ms"),
        (without(limits={"fuel": -1}), "fuel"),
        (without(limits={"output_bytes": 10**12}), "output_bytes"),
        (without(limits={"memory_mib": "64"}), "memory_mib"),
        (without(limits={"memory_mib": 64.5}), "memory_mib"),
        (without(limits={"cpu": 1}), "cpu"),
        (without(mode="eternal"), "mode"),
        (without(capabilities=["fs:read=../x"]), "no absolute path"),
        (without(capabilities=["root"]), "no capability"),
        (without(capabilities=["clock", "clock"]), "there twice"),
        (without(homepage="javascript:alert(1)"), "homepage"),
        (without(homepage="https://example.org/\u202e"), "homepage"),
        (without("spec"), "give either"),
        (without(inputs=[]), "give either"),
        (without(tools=[TOOL]), "mean the same"),
        (without(spec=[]), "spec"),
        (without(spec=[TOOL, TOOL]), "there twice"),
        (without(spec=[TOOL, TOOL | {"name": "DO"}]), "there twice"),
        (without(spec=[TOOL | {"name": f"t{number}"} for number in range(129)]), "spec"),
        (without(spec=[TOOL | {"name": "a.b"}]), "name"),
        (without(spec=[TOOL | {"inputSchema": {"type": "string"}}]), '"object"'),
        (without(spec=[TOOL | {"inputSchema": {"type": "object", "$ref": "http://example.org"}}]), "leads out"),
        (without(spec=[TOOL | {"input_schema": {"type": "object"}}]), "mean the same"),
        (without(spec=[TOOL | {"sideEffects": "some"}]), "sideEffects"),
        (without("spec", inputs=[{"name": "a", "type": "text"}]), "type"),
        (without("spec", inputs=[{"name": "a b", "type": "string"}]), "name"),
        (without("spec", inputs=[{"name": "a", "type": "string"}] * 2), "there twice"),
    ],
)
def test_a_hostile_manifest_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(PluginError) as caught:
        read_manifest(content, PLACE)

    assert words in caught.value.message
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 2000


@promise("tools.manifest.hostile")
@given(
    st.dictionaries(
        st.sampled_from([*FULL, "inputs", "outputs", "tools"]),
        st.none() | st.text() | st.integers() | st.lists(st.text()),
    )
)
def test_any_object_is_read_or_refused(value: dict[str, Json]) -> None:
    assert outcome(json.dumps(value).encode()).startswith(("read", "'hello/manifest.json' is not valid"))


def outcome(content: bytes) -> str:
    try:
        read_manifest(content, PLACE)
    except PluginError as exc:
        return exc.message
    return "read"


@promise("tools.manifest.schema")
@pytest.mark.parametrize(
    "content",
    [
        ORIGINAL,
        without(),
        without("spec", tools=[TOOL]),
        without(spec=[{"name": "do", "description": "", "input_schema": {"type": "object"}}]),
        without(extra=1),
        without("name"),
        without("spec"),
        without(inputs=[]),
        without(limits={"memory_mib": 0}),
        without(mode="eternal"),
        without(name="Hello"),
        without(entry="../x.wasm"),
        without(spec=[TOOL | {"input_schema": {"type": "object"}}]),
    ],
)
def test_the_published_schema_takes_what_the_reader_takes(content: bytes) -> None:
    published = Draft202012Validator(manifest_schema())

    assert published.is_valid(json.loads(content)) is (outcome(content) == "read")
