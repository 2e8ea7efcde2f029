"""Take a model's file from a repository on the Hugging Face hub.

One short look at the file's facts (commit, size, digest) decides whether the hub is there; then the bytes are streamed,
continued where an earlier try stopped. Plain HTTP: no token is sent, nothing is reported, no cache outside the models'
folder is written.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import anyio
import anyio.from_thread
import anyio.to_thread
import httpx2
import huggingface_hub
from huggingface_hub import constants

from ourcli import __version__
from ourcli.ai.backends.local_path import LocalPath
from ourcli.ai.models.partial import Partial, Sink
from ourcli.ai.models.ports import DOWNLOAD_PURPOSE, Fetched, FetchJob
from ourcli.ai.models.spec import HubSource, PathSource
from ourcli.common.errors import DownloadError
from ourcli.common.net import Gate

_REPORT_EVERY_BYTES = 1024 * 1024
_LOOK_S = 4.0
"""Longest look at a file's facts, name lookup included; then the next source is tried."""
_READ_S = 15.0
_TRIES_WITHOUT_PROGRESS = 3
_MAX_REDIRECTS = 5
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Hub:
    """Downloads files of model repositories.

    Args:
        gate: Asked before each connection, redirects included.
        endpoint: Address of the hub; None takes the library's own, which `HF_ENDPOINT` sets.
    """

    def __init__(self, gate: Gate, *, endpoint: str | None = None) -> None:
        self._gate = gate
        self._endpoint = endpoint or constants.ENDPOINT

    async def fetch(self, source: HubSource, job: FetchJob) -> Fetched:
        """Stream the file to `job.target`; see `ourcli.ai.models.ports.Fetcher`.

        A file that the library's own cache holds at the wanted commit is copied from there, without network.
        """
        wanted = source.revision or job.revision
        cached = _cached(source, wanted)
        if cached is not None and wanted is not None:
            await LocalPath().fetch(PathSource(path=cached), job)
            return Fetched(revision=wanted)
        self._gate.allow(DOWNLOAD_PURPOSE, urlsplit(self._endpoint).hostname or self._endpoint)
        facts = None
        with anyio.move_on_after(_LOOK_S):
            # Abandoned when it hangs (a name lookup can): the thread ends by itself and changes nothing.
            facts = await anyio.to_thread.run_sync(self._look, self._url(source, wanted), abandon_on_cancel=True)
        if facts is None:
            raise DownloadError(f"{urlsplit(self._endpoint).hostname} does not answer within {_LOOK_S:.0f} s")
        commit = _checked_commit(facts.commit_hash, wanted)
        digest = facts.etag if facts.etag and _SHA256.fullmatch(facts.etag) else None
        key = f"{source.repo}/{source.file}@{commit}#{facts.etag}"
        await anyio.to_thread.run_sync(self._download, self._url(source, commit), facts.size, key, job)
        return Fetched(revision=commit, sha256=digest)

    def _url(self, source: HubSource, revision: str | None) -> str:
        try:
            return huggingface_hub.hf_hub_url(source.repo, source.file, revision=revision, endpoint=self._endpoint)
        except ValueError as exc:
            raise DownloadError(_reason(exc)) from exc

    def _look(self, url: str) -> huggingface_hub.HfFileMetadata:
        # Also keeps the library from asking the hub which agent programs there are.
        constants.HF_HUB_DISABLE_TELEMETRY = True
        try:
            return huggingface_hub.get_hf_file_metadata(
                url,
                token=False,
                timeout=_LOOK_S,
                library_name="ourcli",
                library_version=__version__,
                endpoint=self._endpoint,
            )
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as exc:
            raise DownloadError(_reason(exc)) from exc

    def _download(self, url: str, size: int | None, key: str, job: FetchJob) -> None:
        if size is None and job.exact:
            size = job.size_bytes
        partial = Partial(job.target, limit_bytes=job.size_bytes if job.exact else size)
        done = partial.resume_bytes(key)
        if size is not None and done > size:
            partial.discard()
            done = partial.resume_bytes(key)
        tries = 0
        while size is None or done < size:
            anyio.from_thread.check_cancelled()
            try:
                self._stream(url, partial, job)
                error = "the connection closed early"
            except httpx2.HTTPError as exc:
                error = _reason(exc)
            tries = 0 if partial.size_bytes > done else tries + 1
            done = partial.size_bytes
            if size is None and error == "the connection closed early":
                return
            if tries >= _TRIES_WITHOUT_PROGRESS:
                raise DownloadError(error)

    def _stream(self, url: str, partial: Partial, job: FetchJob) -> None:
        offset = partial.size_bytes
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        with self._open(url, headers) as response:
            response.raise_for_status()
            if offset and response.status_code != httpx2.codes.PARTIAL_CONTENT:
                raise DownloadError("the server cannot continue a download")
            with partial.appending() as sink:
                _pour(response, sink, job)

    @contextmanager
    def _open(self, url: str, headers: dict[str, str]) -> Iterator[httpx2.Response]:
        """Open a stream; each redirect passes the gate like the first request."""
        headers = {**headers, "Accept-Encoding": "identity", "User-Agent": f"ourcli/{__version__}"}
        timeout = httpx2.Timeout(_READ_S, connect=_LOOK_S)
        for _ in range(_MAX_REDIRECTS):
            self._gate.allow(DOWNLOAD_PURPOSE, urlsplit(url).hostname or url)
            with huggingface_hub.get_session().stream(
                "GET", url, headers=headers, timeout=timeout, follow_redirects=False
            ) as response:
                if not response.has_redirect_location:
                    yield response
                    return
                url = urljoin(url, response.headers["Location"])
        raise DownloadError("the hub redirects without end")


def _pour(response: httpx2.Response, sink: Sink, job: FetchJob) -> None:
    # In the pieces that arrive, so that a connection that breaks loses nothing of what came.
    reported = 0
    for block in response.iter_raw():
        anyio.from_thread.check_cancelled()
        sink.write(block)
        if sink.size_bytes - reported >= _REPORT_EVERY_BYTES:
            reported = sink.size_bytes
            anyio.from_thread.run_sync(job.report, reported)
    anyio.from_thread.run_sync(job.report, sink.size_bytes)


def _cached(source: HubSource, revision: str | None) -> Path | None:
    if revision is None:
        return None
    found = huggingface_hub.try_to_load_from_cache(source.repo, source.file, revision=revision)
    return Path(found) if isinstance(found, str) else None


def _checked_commit(found: str | None, wanted: str | None) -> str:
    if found is None or not _COMMIT.fullmatch(found):
        raise DownloadError(f"the hub names no commit but {found!r}")
    if wanted is not None and found != wanted:
        raise DownloadError(f"the hub answers with commit {found!r} instead of {wanted!r}")
    return found


def _reason(exc: Exception) -> str:
    return f"{type(exc).__name__}: {exc}".splitlines()[0][:300]
