"""Take a model's file from a path on this machine."""

from collections.abc import Iterator
from pathlib import Path

import anyio.from_thread
import anyio.to_thread

from ourcli.ai.models.partial import Partial
from ourcli.ai.models.ports import Fetched, FetchJob
from ourcli.ai.models.spec import PathSource
from ourcli.common.errors import DownloadError

_BLOCK_BYTES = 4 * 1024 * 1024


class LocalPath:
    """Copies a file. Needs no network."""

    async def fetch(self, source: PathSource, job: FetchJob) -> Fetched:
        """Copy the file to `job.target`; see `ourcli.ai.models.ports.Fetcher`."""
        await anyio.to_thread.run_sync(_copy, source.path.expanduser(), job)
        return Fetched(revision="")


def _copy(path: Path, job: FetchJob) -> None:
    partial = Partial(job.target, limit_bytes=job.size_bytes if job.exact else None)
    partial.resume_parts(f"path:{path}")
    with partial.appending() as sink:
        for block in _blocks(path):
            anyio.from_thread.check_cancelled()
            sink.write(block)
            anyio.from_thread.run_sync(job.report, sink.size_bytes)


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                yield block
    except OSError as exc:
        raise DownloadError(f"cannot read {str(path)!r}: {exc.strerror or exc}") from exc
