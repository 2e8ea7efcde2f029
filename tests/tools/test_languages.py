"""Plugins in five languages: built by the line on their own page, called by ourcli and by a bare runtime."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from ourcli.tools.scaffold import LANGUAGES, plugin_files, write_plugin
from tests.promises import promise
from tests.support.bare_wasi import COMPONENT, is_component
from tests.support.process import CommandLine
from tools.plugins import SOURCES, CompilerMissingError, build_source

ROOT = Path(__file__).resolve().parents[2]
Built = Callable[[Path], Path]
Bare = Callable[[Path], list[str]]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Return a function that builds a plugin's source and returns the plugin's folder."""

    def call(source: Path) -> Path:
        try:
            return build_source(source, tmp_path_factory.mktemp("plugin"))
        except CompilerMissingError as exc:
            pytest.skip(f"no compiler; it comes with: {exc}")

    return call


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory, built: Built) -> Bare:
    """Return a function that gives the words which run a plugin's source under a bare WASI runtime."""
    folder = tmp_path_factory.mktemp("bare")

    def call(source: Path) -> list[str]:
        (module,) = built(source).glob("*.wasm")
        content = module.read_bytes()
        kind = COMPONENT if is_component(content) else ".core"
        compiled = folder / f"{hashlib.sha256(content).hexdigest()}{kind}.cwasm"
        words = [sys.executable, "-m", "tests.support.bare_wasi"]
        if not compiled.exists():
            subprocess.run([*words, "compile", module, compiled], check=True, cwd=ROOT)
        return [*words, "run", str(compiled)]

    return call


@promise("tools.plugins.new")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_plugin_is_built_by_its_own_page_checked_and_called(
    tmp_path: Path, home: Path, built: Built, language: str
) -> None:
    ourcli = CommandLine(home=home, folder=tmp_path)

    new = ourcli.run("plugins", "new", "hello", "--lang", language)
    plugin = built(tmp_path / "hello")
    checked = ourcli.run("plugins", "check", str(plugin))
    added = ourcli.run("plugins", "add", str(plugin))
    called = ourcli.run("tools", "call", "hello.hello", "--input", '{"name": "Ada \\"Ü\\" 日本"}', "--json")

    steps = (new, checked, added, called)
    assert [step.code for step in steps] == [0, 0, 0, 0], [step.err for step in steps]
    assert called.document["output"] == {"greeting": 'Hello, Ada "Ü" 日本!'}


@promise("tools.languages.samples")
@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "c"])  # C shows the simple form
def test_the_samples_are_what_the_templates_write(language: str) -> None:
    sample = SOURCES / f"hello-{language}"

    assert {path.name: path.read_text("utf-8") for path in sample.iterdir()} == plugin_files("hello", language)


@promise("tools.languages.mcp")
@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "c"])
async def test_a_plugin_is_an_mcp_server_under_a_bare_runtime(bare: Bare, language: str, mode: str) -> None:
    program, *words = bare(SOURCES / f"hello-{language}")
    server = StdioServerParameters(command=program, args=words, cwd=ROOT)

    async with Client(server, mode=mode) as client:
        listed = await client.list_tools()
        good = await client.call_tool("hello", {"name": "Ada"})
        bad = await client.call_tool("hello", {})

    assert [tool.name for tool in listed.tools] == ["hello"]
    assert good.structured_content == {"greeting": "Hello, Ada!"}
    assert bad.is_error


@promise("tools.languages.bad-input")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_plugin_answers_whatever_it_is_asked(tmp_path: Path, bare: Bare, language: str) -> None:
    write_plugin(tmp_path / "hello", plugin_files("hello", language))
    asked = [
        b'{"jsonrpc":"2.0","method":"notifications/initialized"}',
        b'{"jsonrpc":"2.0","id":1,"method":"no/such"}',
        b'{"jsonrpc":"2.0","id":"two","method":"tools/call","params":{"name":"other","arguments":{}}}',
        b'{"params":{"arguments":{"name":"[}\\\\"},"name":"hello"},"method":"tools/call", "id" : 3 ,"jsonrpc":"2.0"}',
        b'{"jsonrpc":"2.0","id":4,"method":"ping"}',
    ]

    given = b"\n".join(asked) + b"\n"
    words = bare(tmp_path / "hello")

    done = subprocess.run(words, input=given, capture_output=True, cwd=ROOT, check=False)

    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [1, "two", 3, 4], done.stderr
    assert [answer["error"]["code"] for answer in answers[:2]] == [-32601, -32602]
    assert answers[2]["result"]["structuredContent"] == {"greeting": "Hello, [}\\!"}
