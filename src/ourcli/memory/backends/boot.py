"""Which running of the machine this is: files that were not fsynced survive a killed process, but not a power cut."""

from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no types

_LINUX = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Return a word that is the same until the machine is started again."""
    try:
        return _LINUX.read_text("ascii").strip()
    except OSError:
        return f"{psutil.boot_time() // 60:.0f}"  # a guess may differ by a moment from the one before
