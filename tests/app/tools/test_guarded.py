"""Rights that nobody can grant."""

from pathlib import Path

import pytest

from ourcli.app.tools.guarded import guarded
from ourcli.common.errors import DeniedError
from ourcli.config.locations import Home
from ourcli.tools.backends.policy_file import PolicyFile
from ourcli.tools.capabilities import parse
from tests.promises import promise


@promise("tools.grants.guarded")
@pytest.mark.parametrize("path", ["home", "home/plugins", ".", "link", "link/plugins", "home/grants.json"])
def test_nobody_can_grant_the_right_to_change_grants(tmp_path: Path, path: str) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "home")

    with pytest.raises(DeniedError, match="change its own grants"):
        guarded([parse("clock"), parse(f"fs:write={tmp_path / path}")], Home(tmp_path / "home"))


@promise("tools.grants.home-unread")
@pytest.mark.parametrize("path", ["home", "home/state", "link/state/mcp_token", "link"])
@pytest.mark.parametrize("kept_out", [True, False])
def test_nobody_can_grant_the_right_to_read_logins_and_memory(tmp_path: Path, path: str, kept_out: bool) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "home")

    with pytest.raises(DeniedError, match="read the logins"):
        guarded([parse(f"fs:read={tmp_path / path}")], Home(tmp_path / "home"), kept_out=kept_out)


@promise("tools.grants.home-unread")
def test_a_folder_that_holds_the_home_is_read_only_by_who_is_kept_out_of_it(tmp_path: Path) -> None:
    rights, home = [parse(f"fs:read={tmp_path}")], Home(tmp_path / "home")

    assert guarded(rights, home) == rights
    with pytest.raises(DeniedError, match="read the logins"):
        guarded(rights, home, kept_out=False)


def test_other_folders_can_be_read_and_written(tmp_path: Path) -> None:
    rights = [parse(f"fs:write={tmp_path}/homes"), parse(f"fs:read={tmp_path}/homes"), parse("exec")]

    assert guarded(rights, Home(tmp_path / "home"), kept_out=False) == rights


def a_policy_for(home: Path) -> Path:
    home.mkdir(mode=0o700)
    policy = home / "grants.toml"
    policy.write_text(f'[[grants]]\nkind = "builtin"\nname = "fs"\ncapabilities = ["fs:write={home}"]\n')
    policy.chmod(0o600)
    return policy


@promise("tools.grants.guarded")
@pytest.mark.anyio
async def test_a_policy_cannot_grant_it_either(home: Path) -> None:
    policy = PolicyFile(a_policy_for(home), lambda rights: guarded(rights, Home(home)))

    with pytest.raises(DeniedError, match="change its own grants"):
        await policy.entries()
