"""The folder a command is run in does not decide what an MCP server is."""

import sys
from pathlib import Path

import anyio
import pytest

from ourcli.app.desks.mcp import placed
from ourcli.tools.backends.mcp.stdio import stdio_streams
from ourcli.tools.servers import McpServer
from tests.promises import promise


@promise("tools.mcp.same-program")
def test_paths_of_a_command_mean_what_they_meant_where_it_was_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "server.py").touch()
    (tmp_path / "run").touch()

    server = placed(McpServer(name="s", command=("./start", "server.py", "run", ".", "-v", "gone.py", "x" * 5000)))

    assert server.command[:4] == (f"{tmp_path}/start", f"{tmp_path}/server.py", "run", str(tmp_path))
    assert server.command[4:] == ("-v", "gone.py", "x" * 5000)
    assert placed(McpServer(name="s", command=("npx", "server"))).command == ("npx", "server")
    assert placed(McpServer(name="s", url="http://localhost/mcp")).command == ()


@promise("tools.mcp.same-program")
@pytest.mark.anyio
async def test_a_program_loads_nothing_from_the_folder_the_command_is_run_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "json.py").write_text("import sys; sys.stderr.write('stolen\\n')")
    monkeypatch.setenv("HOME", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path / "project")
    words = (sys.executable, "-c", "import json, os, sys; sys.stderr.write(os.getcwd() + chr(10))")
    said: list[str] = []
    ended = anyio.Event()

    async with stdio_streams(words, {}, said=said.append, ended=ended.set):
        await ended.wait()
        while not said:  # its two streams end one after the other
            await anyio.lowlevel.checkpoint()

    assert said == [str(tmp_path / "own")]
