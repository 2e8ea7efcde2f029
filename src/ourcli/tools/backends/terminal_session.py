"""The session of the terminal that ourcli was started in: all its processes are in it, and no later one is."""

import os
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no types


def terminal_session() -> str:
    """Return a name for this terminal's session, or "" where there is none (Windows, a detached process).

    It is the session of POSIX (`getsid(2)`) with the start of its leader, for numbers are used again.
    """
    if not hasattr(os, "getsid"):
        return ""
    leader = os.getsid(0)
    started = _started(leader)
    return f"terminal:{leader}:{started}" if started else ""


def _started(process: int) -> str:
    """Return when a process started, or "" when it is gone."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}:{fields[19]}"  # ticks since the machine started, which no change of the clock moves
    except (OSError, IndexError):
        return _asked(process)


def _asked(process: int) -> str:
    try:
        return f"{psutil.Process(process).create_time():.2f}"
    except psutil.Error:
        return ""
