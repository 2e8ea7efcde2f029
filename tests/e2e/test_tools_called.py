"""The sample plugin, built from its source, through the real command line; no model is needed."""

import json
import sys
from pathlib import Path

import pytest

from tests.promises import promise
from tests.support.guests import Workshop, full_manifest
from tests.support.process import CommandLine
from tools.plugins import CompilerMissingError, build

BEHAVE = Path(__file__).parents[1] / "tools" / "guests" / "behave.c"
LOADED = """
import sys
from ourcli.__main__ import main
try:
    main()
finally:
    sys.stderr.write("\\n".join(sys.modules))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the built sample plugin."""
    try:
        return build("hello-c", tmp_path_factory.mktemp("built"))
    except CompilerMissingError as exc:
        pytest.skip(str(exc))


@pytest.fixture
def ourcli(home: Path, tmp_path: Path, built: Path) -> CommandLine:
    """Return the command line, with the sample installed in its home."""
    (home / "plugins").mkdir(parents=True)
    (home / "plugins" / "hello").symlink_to(built)
    return CommandLine(home=home, folder=tmp_path)


@promise("tools.call.real")
@promise("tools.plugins.sample")
@pytest.mark.parametrize("name", ["Ada", 'the "quoted"\\', "Ünï\u202e"])
def test_the_sample_answers(ourcli: CommandLine, name: str) -> None:
    done = ourcli.run("tools", "call", "hello.hello", "--input", json.dumps({"name": name}), "--json")

    assert (done.code, done.err) == (0, "")
    assert done.document["output"] == {"greeting": f"Hello, {name}!"}
    assert (done.document["origin"], done.document["trust"]) == ("plugin:hello", "tool")


@promise("tools.call.denied")
def test_a_plugin_that_requests_what_nobody_granted_is_not_run(ourcli: CommandLine, home: Path, tmp_path: Path) -> None:
    workshop = Workshop(tmp_path / "modules")
    right = f"fs:write={tmp_path}/out"
    (tmp_path / "out").mkdir()
    workshop.plugin(home / "plugins" / "writer", BEHAVE, full_manifest("writer", capabilities=[right]))

    done = ourcli.run("tools", "call", "writer.do", "--input", json.dumps({"do": "write", "path": f"{tmp_path}/out/x"}))

    assert (done.code, right in done.err) == (4, True)
    assert list((tmp_path / "out").iterdir()) == []


@promise("tools.plugins.check")
def test_a_module_that_lists_other_tools_than_its_manifest_is_found(ourcli: CommandLine, tmp_path: Path) -> None:
    Workshop(tmp_path / "modules").plugin(tmp_path / "liar", BEHAVE, full_manifest("liar"))

    sample = ourcli.run("plugins", "check", str(tmp_path / "home" / "plugins" / "hello"))
    liar = ourcli.run("plugins", "check", str(tmp_path / "liar"))

    assert (sample.code, liar.code) == (0, 1)
    assert "does not list its tools" in liar.err


@promise("tools.start.light")
@pytest.mark.parametrize("words", [["tools", "list"], ["tools", "call", "hello.hello", "--input", '{"name": "Ada"}']])
def test_the_host_loads_no_engine(ourcli: CommandLine, words: list[str]) -> None:
    import subprocess  # the one probe here that needs another program than the command line

    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words], capture_output=True, text=True, check=False, cwd=ourcli.folder
    )

    assert done.returncode == 0, done.stderr
    assert {"wasmtime", "mcp", "onnxruntime"} & {name.partition(".")[0] for name in done.stderr.split()} == set()
