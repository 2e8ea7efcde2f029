"""The reference pages are what the code says."""

import subprocess
import sys
from pathlib import Path

from tests.promises import promise

TOOL = Path(__file__).parents[2] / "tools" / "reference.py"


@promise("cli.reference.current")
def test_the_reference_pages_are_current() -> None:
    done = subprocess.run([sys.executable, str(TOOL), "--check"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@promise("cli.reference.current")
def test_a_stale_page_is_noticed_and_written_anew(tmp_path: Path) -> None:
    copy = tmp_path / "tools" / "reference.py"
    copy.parent.mkdir()
    copy.write_bytes(TOOL.read_bytes())

    missing = subprocess.run([sys.executable, str(copy), "--check"], capture_output=True, text=True, check=False)
    written = subprocess.run([sys.executable, str(copy)], capture_output=True, text=True, check=False)
    current = subprocess.run([sys.executable, str(copy), "--check"], capture_output=True, text=True, check=False)

    assert missing.returncode == 1
    assert "docs/reference/cli.md is stale" in missing.stderr
    assert written.stdout.count("wrote docs/reference/") == 5
    assert current.returncode == 0
