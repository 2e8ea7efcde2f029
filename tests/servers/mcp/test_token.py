"""The bearer token in its file."""

import stat
from pathlib import Path

import pytest

from ourcli.common.errors import StoreError
from ourcli.servers.mcp.token import read_or_make
from tests.promises import promise


@promise("servers.mcp.http.token-file")
def test_a_token_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "state" / "mcp_token"

    token = read_or_make(path)

    assert (read_or_make(path), len(token), stat.S_IMODE(path.stat().st_mode)) == (token, 43, 0o600)


@promise("servers.mcp.http.token-file")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
def test_a_token_that_others_could_read_is_not_used_again(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "mcp_token"
    before = read_or_make(path)
    path.chmod(mode)

    after = read_or_make(path)

    assert (after != before, stat.S_IMODE(path.stat().st_mode)) == (True, 0o600)


@promise("servers.mcp.http.token-file")
@pytest.mark.parametrize("content", ["", "short", "ü" * 43, "x" * 44])
def test_what_is_no_token_is_made_anew(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mcp_token"
    path.write_text(content, "utf-8")
    path.chmod(0o600)

    assert read_or_make(path) not in ("", content)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="file"):
        read_or_make(tmp_path / "file" / "mcp_token")

    assert [one.name for one in tmp_path.iterdir()] == ["file"]
