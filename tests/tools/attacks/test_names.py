"""Names that are paths, look like others, hold controls, or mean a device."""

import json
from pathlib import Path

import pytest

from ourcli.common.errors import NotFoundError, OurcliError
from ourcli.tools.data import Json
from ourcli.tools.plugins import discover
from ourcli.tools.registry import Registry
from tests.promises import promise
from tests.support.arena import Arena
from tests.support.guests import full_manifest

NAMES = [
    *("", " ", ".", "..", "../evil", "/etc/passwd", "a/b", "a\\b", "C:evil", "~", "~root", "-rf", "--help", "a b"),
    *(
        "evil\0",
        "evil\n",
        "evil\r",
        "evil\t",
        "evil\x1b[2J",
        "evil\x9b2J",
        "\u202eliveevil",
        "ev\u200bil",
        "evil\u2028",
    ),
    *("еvil", "evіl", "ｅvil", "ﬁle", "evıl", "e\u0301vil", "évil", "\U0001d41evil", "evil\ud800"),
    *("x" * 65, "x" * 100_000, "{home}", "$(id)", "`id`", "a;b", "a|b", "*"),
    *("__proto__!", "a.b", "hello.hello", "fs.read"),
]
DEVICES = ("con", "nul", "aux", "prn", "com1", "lpt9")
"""A plugin's name is a folder's, which these cannot be everywhere; a tool may be called so, and in capitals too."""
CASES = [("plugin", name) for name in (*NAMES, *DEVICES, "EVIL", "Evil")]
CASES += [(where, name) for where in ("tool", "input") for name in NAMES]
ENTRIES = [
    *("../guest.wasm", "/etc/passwd", "a/guest.wasm", "a\\guest.wasm", "guest.wasm\0.txt", "guest.wasm\n", ".wasm"),
    *(".guest.wasm", "-guest.wasm", "guest.WASM", "guest", "con.wasm", "NUL.wasm", "com1.x.wasm", "gu\u202eest.wasm"),
    *("guеst.wasm", "x" * 70 + ".wasm", "C:guest.wasm", "~/guest.wasm", "file:guest.wasm"),
]


def problems_of(folder: Path, manifest: dict[str, Json]) -> tuple[str, ...]:
    """Return what is told of a plugin with this manifest beside a good one, which must be found."""
    for name, content in (("evil", manifest), ("good", full_manifest("good"))):
        (folder / name).mkdir()
        (folder / name / "guest.wasm").write_bytes(b"\0asm\1\0\0\0")
        (folder / name / "manifest.json").write_text(json.dumps(content))
    found = discover([folder])
    assert [plugin.name for plugin in found.plugins] == ["good"], "the good plugin is found, and no other"
    return found.problems


def assert_can_be_shown(text: str) -> None:
    """Assert that a line can be shown on any terminal and is not too long to be read."""
    assert text.isprintable(), ascii(text)
    assert len(text) < 1000


@promise("tools.attacks.names")
@promise("tools.manifest.hostile")
@pytest.mark.parametrize(("where", "name"), CASES, ids=lambda text: ascii(text)[:24])
def test_a_name_that_could_be_more_than_a_name_is_refused(place: Path, where: str, name: str) -> None:
    manifest: dict[str, Json] = full_manifest("evil")
    if where == "plugin":
        manifest["name"] = name
    elif where == "tool":
        manifest["spec"] = [{"name": name, "description": "", "inputSchema": {"type": "object"}}]
    else:
        manifest = {"name": "evil", "description": "", "inputs": [{"name": name, "type": "string"}]}

    (problem,) = problems_of(place, manifest)

    assert_can_be_shown(problem)
    assert "name" in problem


@promise("tools.attacks.names")
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: ascii(entry)[:24])
def test_an_entry_that_is_no_plain_name_in_the_folder_is_refused(place: Path, entry: str) -> None:
    (problem,) = problems_of(place, {**full_manifest("evil"), "entry": entry})

    assert_can_be_shown(problem)
    assert "entry" in problem


@promise("tools.attacks.names")
@pytest.mark.parametrize("folder", ["\x1b[2Jevil", "evil\nerror: x", "\u202elive", "ev\x9bil", "x" * 250, "-rf", "~"])
def test_a_folder_with_a_hostile_name_is_told_in_words_that_can_be_shown(place: Path, folder: str) -> None:
    (place / folder).mkdir()
    (place / folder / "manifest.json").write_text("{}")

    (problem,) = discover([place]).problems

    assert_can_be_shown(problem)


@promise("tools.attacks.names")
@pytest.mark.anyio
@pytest.mark.parametrize(
    "name", ["../evil", "evil\x1b[2J", "\u202elive", "x" * 100_000, "good.do\0", "good.do ", "gооd.do"]
)
async def test_a_call_by_a_hostile_name_reaches_no_tool(arena: Arena, name: str) -> None:
    registry = Registry(arena.host.tools(arena.plugin("computing", full_manifest("good", timeout_ms=20_000))))

    with pytest.raises(NotFoundError) as caught:
        registry.get(name)

    error: OurcliError = caught.value
    assert_can_be_shown(error.message + error.hint)
    await arena.live_on()
