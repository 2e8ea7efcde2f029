"""What forgets beside memory: typed lines and the last sessions, also damaged, absent and in use."""

from pathlib import Path

import pytest

from ourcli.app.memory.chat_history import ChatHistory
from ourcli.app.sessions import Sessions
from ourcli.common.clock import SystemClock
from ourcli.common.errors import StoreError
from ourcli.common.forgetting import Erasure
from tests.promises import promise
from tests.support.traces import traces

pytestmark = pytest.mark.anyio
TEXT = "the zanzibarfish\nswims"
WHAT = Erasure(ids=("a",), texts=(TEXT, ""), sessions=("gone",))
TYPED = "\n# 2026-11-22 10:00\n+one\n\n# 2026-11-22 10:01\n+/decide the zanzibarfish\n+swims\n\n# 2026\n+three ü\n"


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "chat_history"
    path.write_text(TYPED)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def typed(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.startswith("+")]


async def test_files_that_are_not_there_hold_nothing(tmp_path: Path) -> None:
    for place in (ChatHistory(tmp_path / "none"), Sessions(tmp_path / "no" / "sessions.json", SystemClock())):
        assert await place.erase(WHAT) == 0
        await place.wipe()
    assert names(tmp_path) == []


@promise("memory.forget.caches")
async def test_typed_lines_that_hold_a_text_are_written_over(history: Path) -> None:
    gone = await ChatHistory(history).erase(WHAT)

    assert gone == 1
    assert traces(history.parent, ["zanzibarfish"]) == []
    assert typed(history) == ["+one", "+three ü"]


async def test_typed_lines_that_cannot_be_cleaned_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = tmp_path / "chat_history"
    history.write_text(TYPED)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StoreError, match="cannot clean"):
        await ChatHistory(history).erase(WHAT)


@promise("memory.forget.caches")
async def test_a_session_of_which_nothing_is_left_is_not_continued(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "sessions.json", SystemClock())
    sessions.note("one", "gone")
    sessions.note("two", "kept")

    assert await sessions.erase(WHAT) == 1

    assert (tmp_path / "sessions.json").read_text() == '{"two": "kept"}'


async def test_damaged_sessions_are_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "sessions.json").write_text("{broken")

    assert await Sessions(tmp_path / "sessions.json", SystemClock()).erase(WHAT) == 0
