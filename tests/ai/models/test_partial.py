"""The growing file: what it keeps, what it drops, what it refuses."""

from pathlib import Path

import pytest

from ourcli.ai.models.partial import Partial
from ourcli.common.errors import DownloadError


def grown(path: Path, key: str, *parts: bytes, rest: bytes = b"") -> Path:
    partial = Partial(path)
    partial.resume_parts(key)
    for part in parts:
        with partial.appending() as sink:
            sink.write(part)
        partial.finish_part(len(part))
    with partial.appending() as sink:
        sink.write(rest)
    return path


def test_more_than_the_limit_is_refused(tmp_path: Path) -> None:
    partial = Partial(tmp_path / "a", limit_bytes=3)
    with partial.appending() as sink:
        sink.write(b"abc")
    with partial.appending() as sink, pytest.raises(DownloadError, match="larger than the 3 bytes"):
        sink.write(b"d")


@pytest.mark.parametrize("state", ["", "{", '{"key": 1}', '{"key": "k", "parts": ["x"]}'])
def test_a_damaged_state_starts_anew(tmp_path: Path, state: str) -> None:
    path = grown(tmp_path / "a", "k", b"one")
    (tmp_path / "a.json").write_text(state)
    assert Partial(path).resume_parts("k") == ()
    assert not path.exists()


def test_bytes_of_another_source_are_dropped(tmp_path: Path) -> None:
    path = grown(tmp_path / "a", "k", b"one")
    assert Partial(path).resume_bytes("other") == 0
    assert not path.exists()


def test_fewer_bytes_than_recorded_start_anew(tmp_path: Path) -> None:
    path = grown(tmp_path / "a", "k", b"one", b"two")
    path.write_bytes(b"onetw")
    assert Partial(path).resume_parts("k") == ()


def test_finished_parts_stay_and_an_unfinished_one_is_cut_off(tmp_path: Path) -> None:
    path = grown(tmp_path / "a", "k", b"one", b"three", rest=b"unfin")
    assert Partial(path).resume_parts("k") == (3, 5)
    assert path.read_bytes() == b"onethree"


def test_streamed_bytes_stay(tmp_path: Path) -> None:
    path = grown(tmp_path / "a", "k", rest=b"streamed")
    assert Partial(path).resume_bytes("k") == 8


def test_looking_leaves_nothing(tmp_path: Path) -> None:
    assert Partial(tmp_path / "a").resume_parts("k") == ()
    assert list(tmp_path.iterdir()) == []
