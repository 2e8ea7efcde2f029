"""Measure the machine: what this process may use, containers included."""

import os
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no types

from ourcli.ai.models.machine import Machine

_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def this_machine() -> Machine:
    """Return the cores and the memory that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else psutil.cpu_count() or 1
    memory = psutil.virtual_memory().total
    return Machine(cores=cores, memory_bytes=min([memory, *_container_limits()]))


def physical_cores() -> int:
    """Return the cores for inference: physical ones, for two threads on one core slow each other down."""
    return max(1, min(psutil.cpu_count(logical=False) or 1, this_machine().cores))


def resident_bytes() -> int:
    """Return how much memory this process holds now."""
    return int(psutil.Process().memory_info().rss)


def _container_limits() -> list[int]:
    texts = [path.read_text().strip() for path in _CGROUP_LIMITS if path.is_file()]
    return [int(text) for text in texts if text.isdigit()]
