"""The walls between rooms stand, and the check that says so is able to say no."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.promises import promise

ROOT = Path(__file__).resolve().parents[2]
CHECK = "import sys; sys.path.insert(0, 'src'); from importlinter.cli import lint_imports_command as lint; lint()"

LAYERS, BACKENDS, NATIVE = (
    "Rooms point down only",
    "Backends are seen by their room and by app only",
    "Native libraries",
)
# A module that breaks a wall, the import that breaks it, the contract that must say so, and with which words.
LEAKS = [
    ("common/leak.py", "import ourcli.config.settings", LAYERS, "ourcli.common.leak -> ourcli.config.settings"),
    ("memory/leak.py", "import ourcli.ai.ports", LAYERS, "ourcli.memory.leak -> ourcli.ai.ports"),
    ("core/leak.py", "import ourcli.app.requests", LAYERS, "ourcli.core.leak -> ourcli.app.requests"),
    ("cli/leak.py", "import ourcli.testing", LAYERS, "ourcli.cli.leak -> ourcli.testing"),
    ("cli/peek.py", "import ourcli.memory.backends", BACKENDS, "ourcli.cli.peek -> ourcli.memory.backends"),
    ("core/peek.py", "from ourcli.ai import backends", BACKENDS, "ourcli.core.peek -> ourcli.ai.backends"),
    ("memory/sql_leak.py", "import sqlite3", NATIVE, "ourcli.memory.sql_leak -> sqlite3"),
    ("app/leak.py", "import socket", NATIVE, "ourcli.app.leak -> socket"),
    ("cli/late.py", "def run():\n    import lancedb", NATIVE, "ourcli.cli.late -> lancedb"),
    ("ai/leak.py", "from urllib.request import urlopen", NATIVE, "ourcli.ai.leak -> urllib"),
    ("common/start.py", "import subprocess", NATIVE, "ourcli.common.start -> subprocess"),
    ("memory/east.py", "import ourcli.memory.west", "No cycles inside a room", ".east"),
    ("memory/west.py", "import ourcli.memory.east", "No cycles inside a room", ".west"),
]


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """Check the walls of the package that stands in this tree."""
    command = [sys.executable, "-P", "-c", CHECK, "--no-cache"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the package and its contracts, to be damaged."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@promise("release.house.walls")
def test_the_walls_stand() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@promise("release.house.walls")
def test_each_module_that_breaks_a_wall_is_caught(copy: Path) -> None:
    for module, line, _, _ in LEAKS:
        (copy / "src" / "ourcli" / module).write_text(f'"""A leak."""\n\n{line}\n', encoding="utf-8")

    done = lint(copy)

    assert done.returncode == 1
    findings = done.stdout.partition("Broken contracts")[2]
    for _, _, contract, words in LEAKS:
        assert contract in findings
        assert words in findings


@promise("release.house.walls")
def test_a_new_room_fails_until_it_is_placed(copy: Path) -> None:
    (copy / "src" / "ourcli" / "basement").mkdir()
    (copy / "src" / "ourcli" / "basement" / "__init__.py").write_text('"""A room."""\n', encoding="utf-8")

    done = lint(copy)

    assert done.returncode == 1
    assert "basement" in done.stdout
