"""Runs the conformance client when its turn has come: the suite starts all its clients at once.

python -m tests.tools.mcp.conformance_turn URL
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from filelock import FileLock

AT_ONCE = 2


def main() -> int:
    """Wait, run one scenario, and return its exit code."""
    lock = Path(tempfile.gettempdir()) / f"ourcli-conformance-{os.getpid() % AT_ONCE}.lock"
    with FileLock(lock):
        words = [sys.executable, "-m", "tests.tools.mcp.conformance_client", sys.argv[-1]]
        return subprocess.run(words, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
