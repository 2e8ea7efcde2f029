"""Bring a model: fetch each file from the first source that gives the right bytes, then place it in one move."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import anyio.to_thread

from ourcli.ai.models.partial import Partial
from ourcli.ai.models.ports import Fetched, Fetchers, FetchJob, Locks
from ourcli.ai.models.receipt import FileReceipt, receipt_of
from ourcli.ai.models.shelf import Shelf, sha256_of
from ourcli.ai.models.spec import FileSpec, HubSource, ModelSpec, Source
from ourcli.common.errors import DownloadError, ModelError, NetworkOffError, StoreError
from ourcli.common.events import EventSink, ModelInstalled, ProgressMade
from ourcli.common.files import ensure_private_folder, sync_folder

_log = logging.getLogger(__name__)


class Puller:
    """Fetches models onto a shelf. Two pulls of one model, in any two processes, make one download."""

    def __init__(self, shelf: Shelf, fetchers: Fetchers, locks: Locks) -> None:
        self._shelf = shelf
        self._fetchers = fetchers
        self._locks = locks

    async def pull(self, spec: ModelSpec, listen: EventSink) -> None:
        """Make sure that the model is installed and intact.

        Raises:
            NetworkOffError: It has to be fetched, and the network is off.
            DownloadError: Every source of a file failed; the message says why each did.
            StoreError: It cannot be written; what was staged is gone.
        """
        if await self._is_intact(spec):
            return
        ensure_private_folder(self._shelf.staging(spec).parent)
        async with self._locks.hold(self._shelf.lock(spec)):
            if await self._is_intact(spec):  # another process brought it while this one waited
                return
            try:
                await _Pull(self._shelf, self._fetchers, spec, listen).run()
            except StoreError:
                self._shelf.clear_staging(spec)
                raise
            self._shelf.clear_staging(spec)
        listen.emit(ModelInstalled(at=self._shelf.clock.now(), model=spec.id, bytes=spec.bytes))

    async def _is_intact(self, spec: ModelSpec) -> bool:
        try:
            await anyio.to_thread.run_sync(self._shelf.check, spec)
        except ModelError:
            return False
        return True


class _Pull:
    """One pull of one model, under its lock."""

    def __init__(self, shelf: Shelf, fetchers: Fetchers, spec: ModelSpec, listen: EventSink) -> None:
        self._shelf = shelf
        self._fetchers = fetchers
        self._spec = spec
        self._listen = listen
        self._receipts: dict[str, FileReceipt] = {}
        self._finished_bytes = 0

    async def run(self) -> None:
        self._check_space()
        for file in self._spec.files:
            self._receipts[file.name] = await self._keep(file) or await self._bring(file)
            self._finished_bytes += self._receipts[file.name].bytes
        await anyio.to_thread.run_sync(self._shelf.record, self._spec, self._receipts)

    def _check_space(self) -> None:
        """Say at once that the disk is too full, instead of after a long download."""
        staged = sum(path.stat().st_size for path in self._shelf.staging(self._spec).glob("*.partial"))
        here = sum(file.bytes for file in self._spec.files if self._shelf.path(self._spec, file).exists())
        needed = self._spec.bytes - staged - here
        free = shutil.disk_usage(self._shelf.root).free
        if free < needed:
            raise StoreError(
                f"{self._spec.id!r} needs {needed / 1e9:.2f} GB more in {str(self._shelf.root)!r}, "
                f"where {free / 1e9:.2f} GB are free",
                hint="free some space, or set OURCLI_PATHS_MODELS to a folder on another disk",
            )

    async def _keep(self, file: FileSpec) -> FileReceipt | None:
        """Return the receipt of a file that is already there and right."""
        path = self._shelf.path(self._spec, file)
        expected = self._shelf.known_digest(self._spec, file)
        if expected is None or not path.is_file() or await _digest(path) != expected:
            return None
        before = self._shelf.receipt(self._spec)
        known = (before.files.get(file.name) if before else None) or self._shelf.pins(self._spec).get(file.name)
        return receipt_of(
            path,
            sha256=expected,
            source=known.source if known else "found",
            revision=known.revision if known else "",
        )

    async def _bring(self, file: FileSpec) -> FileReceipt:
        reasons: list[str] = []
        shut: NetworkOffError | None = None
        for number, source in enumerate(file.sources):
            partial = Partial(self._shelf.staging(self._spec) / f"{file.name}.{number}.partial")
            try:
                fetched = await self._fetchers.fetch(source, self._job(file, source, partial.path))
                digest = await self._trusted_digest(file, fetched, partial)
            except NetworkOffError as exc:
                shut = exc
            except DownloadError as exc:
                _log.info("%s: %s failed: %s", self._spec.id, source, exc.message)
                reasons.append(f"{source}: {exc.message}")
            else:
                path = await anyio.to_thread.run_sync(self._place, file, partial)
                receipt = receipt_of(path, sha256=digest, source=str(source), revision=fetched.revision)
                self._shelf.pin(self._spec, {file.name: receipt})
                return receipt
        if shut is not None:
            raise shut
        raise DownloadError(
            f"cannot get {file.name!r} of {self._spec.id!r}; " + "; ".join(reasons),
            hint="check the network; what was fetched so far is kept, and the next try continues",
        )

    def _job(self, file: FileSpec, source: Source, target: Path) -> FetchJob:
        return FetchJob(
            target=target,
            workspace=ensure_private_folder(self._shelf.staging(self._spec)),
            size_bytes=file.bytes,
            exact=file.sha256 is not None,
            revision=self._revision(file, source),
            report=self._reporter(),
        )

    def _revision(self, file: FileSpec, source: Source) -> str | None:
        """Return the commit that the first pull recorded, else the one of the model's earlier file."""
        if not isinstance(source, HubSource) or source.revision is not None:
            return None
        pin = self._shelf.pins(self._spec).get(file.name)
        if pin is not None and pin.source == str(source):
            return pin.revision
        return next((done.revision for done in self._receipts.values() if done.source == str(source)), None)

    def _reporter(self) -> Callable[[int], None]:
        last = -1

        def report(done: int) -> None:
            nonlocal last
            if done > last:
                last = done
                self._listen.emit(
                    ProgressMade(
                        at=self._shelf.clock.now(),
                        task=f"download {self._spec.id}",
                        done=self._finished_bytes + done,
                        total=max(self._spec.bytes, self._finished_bytes + done),
                        unit="B",
                    )
                )

        return report

    async def _trusted_digest(self, file: FileSpec, fetched: Fetched, partial: Partial) -> str:
        """Return the digest of what was fetched, or remove it and say why it is refused."""
        found = await _digest(partial.path)
        known = self._shelf.known_digest(self._spec, file)
        for promised, who in ((known, "promised"), (fetched.sha256, "announced by the source")):
            if promised is not None and found != promised:
                partial.discard()
                because = f"refused: its sha256 is {found}, and {promised} was {who}"
                if file.sha256 is None and promised == known:
                    because += f" (recorded by the first pull in {str(self._shelf.pins_file(self._spec))!r})"
                raise DownloadError(because)
        return found

    def _place(self, file: FileSpec, partial: Partial) -> Path:
        path = self._shelf.path(self._spec, file)
        ensure_private_folder(path.parent)
        try:
            partial.path.chmod(0o600)
            partial.path.replace(path)
            sync_folder(path.parent)
        except OSError as exc:
            raise StoreError(f"cannot write {str(path)!r}: {exc.strerror or exc}", hint="check permissions") from exc
        partial.discard()
        return path


async def _digest(path: Path) -> str:
    # A cancelled pull does not wait for the rest of a large file: the thread only reads.
    return await anyio.to_thread.run_sync(sha256_of, path, abandon_on_cancel=True)
