"""The file of the servers that the user added."""

import stat
from pathlib import Path

import pytest

from ourcli.common.errors import ConfigError, NotFoundError
from ourcli.tools.backends.mcp.server_file import ServerFile
from ourcli.tools.servers import McpServer, RemoteTool
from tests.promises import promise

SERVER = McpServer(name="peer", command=("server",), env=("KEY",), read_only=True)
FAR = McpServer(name="far", url="https://mcp.example.com/", client_id="me", secret_env="SECRET")
ADD = RemoteTool(name="add", description="Adds", input_schema={"type": "object"}, output_schema={}, hints=("a=True",))
SUB = RemoteTool(name="sub", input_schema={"type": "object"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"servers": {"a": {"command": ["b"], "more": 1}}}',
        '{"servers": {"A/B": {"command": ["b"]}}}',
        '{"servers": {"a": {}}}',
        '{"servers": {"a": {"command": "b"}}}',
    ],
)
def test_a_damaged_file_is_named_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mcp.json"
    path.write_text(text)

    with pytest.raises(ConfigError, match=r"mcp\.json"):
        ServerFile(path).put(SERVER, (ADD,), "2026-07-28")

    assert path.read_text() == text


@promise("tools.mcp.commands")
def test_what_was_stored_comes_back_and_is_for_its_owner_only(tmp_path: Path) -> None:
    file = ServerFile(tmp_path / "mcp.json")

    stored = [file.put(SERVER, (ADD, SUB), "2026-07-28"), file.put(FAR, (), "2025-11-25")]

    assert list(ServerFile(tmp_path / "mcp.json").read()) == stored[::-1]
    assert file.get("peer") == stored[0]
    assert stat.S_IMODE((tmp_path / "mcp.json").stat().st_mode) == 0o600


@promise("tools.mcp.pinned")
def test_what_changed_is_kept_until_it_changes_again(tmp_path: Path) -> None:
    file = ServerFile(tmp_path / "mcp.json")
    first = file.put(SERVER, (ADD, SUB), "2026-07-28")
    same = file.put(SERVER, (SUB, ADD), "2026-07-28")
    changed = file.put(SERVER, (ADD,), "2026-07-28")
    still = file.put(SERVER, (ADD,), "2026-07-28")

    assert (first.before, same.before) == (None, None)
    assert changed.before == (SUB, ADD)
    assert still.differences() == ("- sub: gone",)


def test_a_server_is_removed_once(tmp_path: Path) -> None:
    file = ServerFile(tmp_path / "mcp.json")
    file.put(SERVER, (ADD,), "2026-07-28")
    file.remove("peer")

    with pytest.raises(NotFoundError, match="no MCP server 'peer'"):
        file.remove("peer")
    with pytest.raises(NotFoundError):
        file.get("peer")
