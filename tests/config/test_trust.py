"""The list of trusted projects."""

import stat
import threading
from pathlib import Path

import pytest

from ourcli.common.errors import ConfigError, NotFoundError, StoreError
from ourcli.config.trust import TrustStore
from tests.promises import promise

DIGEST = "ab" * 32


@pytest.fixture
def trust(home: Path) -> TrustStore:
    return TrustStore(home / "trusted.json")


@promise("config.trust.list")
def test_what_is_trusted_is_listed_by_its_real_folder(tmp_path: Path, trust: TrustStore) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    trust.add(tmp_path / "link", DIGEST)
    assert trust.projects() == {str(tmp_path / "real"): DIGEST}
    assert trust.state(tmp_path / "real", DIGEST) == "trusted"


@promise("config.trust.revoke")
def test_trust_can_be_revoked(tmp_path: Path, trust: TrustStore) -> None:
    trust.add(tmp_path, DIGEST)
    trust.remove(tmp_path)
    assert trust.state(tmp_path, DIGEST) == "untrusted"
    with pytest.raises(NotFoundError, match="is not trusted"):
        trust.remove(tmp_path)


@promise("config.trust.private")
def test_the_file_is_private(tmp_path: Path, home: Path, trust: TrustStore) -> None:
    trust.add(tmp_path, DIGEST)
    assert stat.S_IMODE((home / "trusted.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@promise("config.trust.damaged")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"projects": {"/a": "x"}}',
        b'{"version": 2}',
        b'{"more": 1}',
        b"\xff",
        b'{"projects": ' + b"[" * 9999,
    ],
)
def test_a_damaged_file_is_an_error_with_a_way_out(tmp_path: Path, home: Path, content: bytes) -> None:
    home.mkdir()
    (home / "trusted.json").write_bytes(content)
    with pytest.raises(ConfigError, match="is damaged") as caught:
        TrustStore(home / "trusted.json").state(tmp_path, DIGEST)
    assert "delete it" in caught.value.hint
    assert (home / "trusted.json").read_bytes() == content


def test_a_home_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot create the folder"):
        TrustStore(tmp_path / "file" / "home" / "trusted.json").add(tmp_path, DIGEST)


def test_projects_that_are_trusted_at_once_are_all_kept(tmp_path: Path, trust: TrustStore) -> None:
    folders = [tmp_path / f"p{number}" for number in range(12)]
    threads = [threading.Thread(target=trust.add, args=(folder, DIGEST)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(trust.projects()) == {str(folder) for folder in folders}
