"""A command as a process of its own, measured by what the system counted for it. POSIX only: `os.wait4`."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

PYTHON = sys.executable
OURCLI = (PYTHON, "-m", "ourcli")
_CHUNK_BYTES = 4096
_RSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one process did and took.

    Attributes:
        output: Its stdout.
        wall_s: From start to exit.
        cpu_s: User and system time.
        first_s: From start until stdout held what was waited for, or None when it never did.
        peak_rss_bytes: Most memory resident at once, mapped files included.
    """

    output: str
    wall_s: float
    cpu_s: float
    first_s: float | None
    peak_rss_bytes: int


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    awaited: Callable[[str], bool] = bool,
) -> Measured:
    """Run a command to its end; one that fails ends the benchmark with its stderr.

    Args:
        command: Program and arguments.
        environment: Variables besides those of this process.
        awaited: Says of stdout so far whether it holds what `first_s` is about; by default any byte.
    """
    first_s: float | None = None
    output = b""
    with tempfile.TemporaryFile() as errors:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert process.stdout is not None
        while chunk := os.read(process.stdout.fileno(), _CHUNK_BYTES):
            output += chunk
            if first_s is None and awaited(output.decode("utf-8", "replace")):
                first_s = time.perf_counter() - begun
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace")
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}: {said.strip()}")
    return Measured(
        output=output.decode("utf-8", "replace"),
        wall_s=wall_s,
        cpu_s=usage.ru_utime + usage.ru_stime,
        first_s=first_s,
        peak_rss_bytes=usage.ru_maxrss * _RSS_UNIT_BYTES,
    )
