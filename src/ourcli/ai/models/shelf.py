"""The folder of models: where each file stands, and whether it is what was promised.

<models>/<id>/<file>            the files
<models>/<id>/installed.json    what was verified, and when
<models>/.pins/<id>.json        what the first pull of an unpinned model found
<models>/.staging/<id>/         a pull under way
<models>/choice.json            what `setup` or `models use` chose
"""

import hashlib
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

from ourcli.ai.models.receipt import (
    FileReceipt,
    Pin,
    Receipt,
    read_pins,
    read_receipt,
    receipt_of,
    write_pins,
    write_receipt,
)
from ourcli.ai.models.spec import FileSpec, ModelSpec
from ourcli.common.clock import Clock
from ourcli.common.errors import ModelBrokenError, ModelMissingError, StoreError

_log = logging.getLogger(__name__)

_BLOCK_BYTES = 4 * 1024 * 1024


def sha256_of(path: Path) -> str:
    """Return the hex digest of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Shelf:
    """The models on disk.

    Args:
        root: The folder.
        clock: Dates the receipts.
    """

    root: Path
    clock: Clock

    def folder(self, spec: ModelSpec) -> Path:
        """Return the folder of a model."""
        return self.root / spec.id

    def path(self, spec: ModelSpec, file: FileSpec) -> Path:
        """Return where a file of a model stands."""
        return self.root / spec.id / file.name

    def staging(self, spec: ModelSpec) -> Path:
        """Return the folder of a pull under way."""
        return self.root / ".staging" / spec.id

    def lock(self, spec: ModelSpec) -> Path:
        """Return the file that whoever changes the model holds locked."""
        return self.root / ".staging" / f"{spec.id}.lock"

    @property
    def choice_file(self) -> Path:
        """Return the file that names the chosen language model."""
        return self.root / "choice.json"

    def pins_file(self, spec: ModelSpec) -> Path:
        """Return the file with what the first pull of a model found."""
        return self.root / ".pins" / f"{spec.id}.json"

    def pins(self, spec: ModelSpec) -> dict[str, Pin]:
        """Return what the first pull of a model found, by file.

        Raises:
            ModelBrokenError: The record is damaged.
        """
        path = self.pins_file(spec)
        try:
            return read_pins(path)
        except (OSError, ValueError) as exc:
            raise ModelBrokenError(
                f"the digests recorded for {spec.id!r} cannot be read: {exc}",
                hint=f"delete {str(path)!r} if you want to trust the next download anew",
            ) from exc

    def pin(self, spec: ModelSpec, files: dict[str, FileReceipt]) -> None:
        """Record what was found for files whose digest the registry does not know."""
        found = {
            file.name: Pin(
                sha256=files[file.name].sha256, source=files[file.name].source, revision=files[file.name].revision
            )
            for file in spec.files
            if file.sha256 is None and file.name in files
        }
        if found:
            write_pins(self.pins_file(spec), found | self.pins(spec))

    def known_digest(self, spec: ModelSpec, file: FileSpec) -> str | None:
        """Return the digest a file must have: the registry's, else the one its first pull recorded, else None."""
        if file.sha256 is not None:
            return file.sha256
        pin = self.pins(spec).get(file.name)
        return pin.sha256 if pin else None

    def receipt(self, spec: ModelSpec) -> Receipt | None:
        """Return what was verified when the model was installed, or None."""
        return read_receipt(self.folder(spec) / "installed.json")

    def record(self, spec: ModelSpec, files: dict[str, FileReceipt]) -> None:
        """Write down what was verified, and hold later pulls to it."""
        self.pin(spec, files)
        write_receipt(self.folder(spec) / "installed.json", spec.id, files, self.clock.now())

    def is_present(self, spec: ModelSpec) -> bool:
        """Say whether all files are there with the size they should have; nothing is read."""
        receipt = self.receipt(spec)
        return all(self._looks_whole(spec, file, receipt) for file in spec.files)

    def check(self, spec: ModelSpec, *, full: bool = False) -> dict[str, FileReceipt]:
        """Return the verified files; only those that changed since they were verified are read, unless `full`.

        Raises:
            ModelMissingError: A file is not there.
            ModelBrokenError: A file is not what was promised.
        """
        missing = [file.name for file in spec.files if not self.path(spec, file).is_file()]
        if missing:
            what = "is not installed" if len(missing) == len(spec.files) else f"lacks {', '.join(missing)}"
            raise ModelMissingError(
                f"the model {spec.id!r} {what}", hint=f"run `ourcli setup` (or `ourcli models pull {spec.id}`)"
            )
        receipt = self.receipt(spec)
        before = receipt.files if receipt else {}
        after = {file.name: self._verified(spec, file, before.get(file.name), full=full) for file in spec.files}
        if after != before:
            self._record_if_possible(spec, after)
        return after

    def clear_staging(self, spec: ModelSpec) -> None:
        """Remove what a pull left."""
        shutil.rmtree(self.staging(spec), ignore_errors=True)

    def remove(self, spec: ModelSpec) -> None:
        """Remove a model and what a pull of it left; its pins stay.

        Raises:
            StoreError: Its files cannot be removed.
        """
        self.clear_staging(spec)
        folder = self.folder(spec)
        try:
            (folder / "installed.json").unlink(missing_ok=True)
            shutil.rmtree(folder)
        except OSError as exc:
            raise StoreError(f"cannot remove {str(folder)!r}: {exc.strerror or exc}", hint="check permissions") from exc

    def _looks_whole(self, spec: ModelSpec, file: FileSpec, receipt: Receipt | None) -> bool:
        path = self.path(spec, file)
        known = receipt.files.get(file.name) if receipt else None
        if known is not None:
            return path.is_file() and path.stat().st_size == known.bytes
        return path.is_file() and (file.sha256 is None or path.stat().st_size == file.bytes)

    def _verified(self, spec: ModelSpec, file: FileSpec, before: FileReceipt | None, *, full: bool) -> FileReceipt:
        path = self.path(spec, file)
        expected = self.known_digest(spec, file) or (before.sha256 if before else None)
        if before is not None and not full and before.sha256 == expected and before.matches(path):
            return before
        broken = ModelBrokenError(
            f"{file.name!r} of the model {spec.id!r} is damaged: it is not the file that was promised",
            hint=f"run `ourcli models pull {spec.id}` to fetch it again",
        )
        if file.sha256 is not None and path.stat().st_size != file.bytes:
            raise broken
        try:
            found = sha256_of(path)
        except OSError as exc:
            raise ModelBrokenError(f"cannot read {str(path)!r}: {exc.strerror or exc}", hint=broken.hint) from exc
        if expected is not None and found != expected:
            raise broken
        same = before is not None and before.sha256 == found
        return receipt_of(
            path,
            sha256=found,
            source=before.source if before and same else "found",
            revision=before.revision if before and same else "",
        )

    def _record_if_possible(self, spec: ModelSpec, files: dict[str, FileReceipt]) -> None:
        try:
            self.record(spec, files)
        except StoreError as exc:
            # A folder of models can be shared and read-only: they still work, and are verified each time.
            _log.warning("cannot record that %s was verified: %s", spec.id, exc.message)
