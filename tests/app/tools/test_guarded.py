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


def test_other_folders_can_be_written_and_the_home_can_be_read(tmp_path: Path) -> None:
    rights = [parse(f"fs:write={tmp_path}/homes"), parse(f"fs:read={tmp_path}/home"), parse("exec")]

    assert guarded(rights, Home(tmp_path / "home")) == rights


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
