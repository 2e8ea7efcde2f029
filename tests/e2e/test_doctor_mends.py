"""`ourcli doctor` on a real home: what is damaged is told, and `--repair` brings back what can be read."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ourcli.cli.main import execute
from tests.promises import promise

pytestmark = pytest.mark.models
Run = Callable[..., Any]


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs a command in this process and returns its exit code and JSON document."""

    def call(*words: str) -> tuple[int, Any]:
        out = io.StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            code = execute([*words, "--json"])
        return code, json.loads(out.getvalue())

    return call


def failed(document: Any) -> list[str]:
    return [check["name"] for check in document["checks"] if check["state"] == "failed"]


def texts(run: Run) -> list[str]:
    return sorted(record["text"] for record in run("memory", "list", "--limit", "0")[1]["records"])


@promise("cli.doctor.end-to-end")
def test_a_home_without_memory_is_fine_and_stays_without(run: Run, home: Path) -> None:
    code, found = run("doctor")

    assert (code, failed(found)) == (0, [])
    assert not (home / "lancedb").exists()


@promise("cli.doctor.end-to-end")
def test_a_damaged_journal_is_told_and_mended(run: Run, home: Path) -> None:
    run("memory", "add", "one thing")
    run("memory", "add", "another thing")
    journal = home / "lancedb" / "journal.sqlite"
    damaged = bytearray(journal.read_bytes())
    damaged[4096:7000] = b"x" * (7000 - 4096)
    journal.write_bytes(damaged)

    code, found = run("doctor")
    mended_code, mended = run("doctor", "--repair")

    assert (code, failed(found)) == (1, ["memory"])
    assert "--repair" in next(check["hint"] for check in found["checks"] if check["name"] == "memory")
    assert (mended_code, failed(mended)) == (0, [])
    assert any(str(home / "lancedb" / "aside") in line for line in mended["repaired"])
    assert texts(run) == ["another thing", "one thing"]


@promise("cli.doctor.end-to-end")
def test_a_table_that_lost_a_file_is_told_and_the_rest_comes_back(run: Run, home: Path) -> None:
    run("memory", "add", "kept in the insights")
    run("memory", "add", "lost with its file", "--layer", "assets")
    for path in (home / "lancedb" / "assets.lance" / "data").iterdir():
        path.unlink()

    code, found = run("doctor")
    mended_code, mended = run("doctor", "--repair")

    assert (code, failed(found)) == (1, ["memory"])
    assert (mended_code, failed(mended)) == (0, [])
    assert texts(run) == ["kept in the insights"]
    assert run("memory", "add", "and new ones are taken")[0] == 0
