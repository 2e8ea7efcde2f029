"""`ourcli undo`."""

import json
from datetime import UTC, datetime

import pytest

from ourcli.testing.service import FakeService
from ourcli.tools.undo import FileChange
from tests.cli.running import Run
from tests.promises import promise

AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def _change(number: int, *, before: str | None = "aa" * 32, undone: bool = False) -> FileChange:
    return FileChange(
        id=number, path="/p/a.txt", before=before, after="bb" * 32, mode=0o644, at=AT, tool="fs.edit", undone=undone
    )


@pytest.mark.parametrize("word", ["x", "-1", "1.5", "１", "9" * 30])
def test_what_is_no_id_is_a_usage_error(run: Run, service: FakeService, word: str) -> None:
    ran = run("undo", "--", word)

    assert ran.code == 2
    assert service.tools.history.undone == []


def test_nothing_to_take_back_is_told(run: Run) -> None:
    ran = run("undo")

    assert (ran.code, ran.err) == (1, "error: no tool changed a file that could be taken back\n")


@promise("tools.undo.command")
def test_a_file_that_changed_since_needs_force(run: Run, service: FakeService) -> None:
    service.tools.history.kept, service.tools.history.changed_since = [_change(7)], {7}

    refused = run("undo", "7")
    forced = run("undo", "7", "--force")

    assert (refused.code, "changed since" in refused.err) == (1, True)
    assert (forced.code, forced.out) == (0, "/p/a.txt is as it was\n")
    assert service.tools.history.undone == [(7, True)]


@promise("tools.undo.command")
def test_the_last_change_is_taken_back_and_told_as_data(run: Run, service: FakeService) -> None:
    service.tools.history.kept = [_change(9, undone=True), _change(8, before=None), _change(7)]

    as_data, in_words = run("undo", "--json"), run("undo")

    assert json.loads(as_data.out) == {"undone": [{"path": "/p/a.txt", "sha256": None}]}
    assert in_words.out == "/p/a.txt is gone again\n"
    assert service.tools.history.undone == [(8, False), (8, False)]


@promise("tools.undo.command")
def test_changes_are_listed(run: Run, service: FakeService) -> None:
    service.tools.history.kept = [_change(8, before=None), _change(7, undone=True)]

    shown, data = run("undo", "list"), json.loads(run("undo", "list", "--json").out)

    assert "made" in shown.out
    assert "changed, taken back" in shown.out
    assert [(one["id"], one["path"], one["tool"]) for one in data["changes"]] == [
        (8, "/p/a.txt", "fs.edit"),
        (7, "/p/a.txt", "fs.edit"),
    ]
