"""What was checked when a model was installed, and what later pulls are held to."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from ourcli.common.files import atomic_write

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class FileReceipt(BaseModel):
    """One verified file.

    Attributes:
        sha256: Its digest when it was verified.
        bytes: Its size then.
        mtime_ns: Its time of change then; size and time together say whether it must be verified again.
        source: Where it came from, or "found" when it was put there by hand.
        revision: Commit or version of the source, or "".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Digest
    bytes: int
    mtime_ns: int
    source: str
    revision: str

    def matches(self, path: Path) -> bool:
        """Say whether the file still has the size and time of change it was verified with."""
        try:
            facts = path.stat()
        except OSError:
            return False
        return facts.st_size == self.bytes and facts.st_mtime_ns == self.mtime_ns


class Receipt(BaseModel):
    """The verified files of a model, by name: `installed.json` in its folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    verified_at: AwareDatetime
    files: dict[str, FileReceipt]


class Pin(BaseModel):
    """What the first pull of a file found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Digest
    source: str
    revision: str


class Pins(BaseModel):
    """The pins of a model's files, by name; they outlive its removal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: dict[str, Pin]


def receipt_of(path: Path, *, sha256: str, source: str, revision: str) -> FileReceipt:
    """Return the receipt of a file that was just verified."""
    facts = path.stat()
    return FileReceipt(sha256=sha256, bytes=facts.st_size, mtime_ns=facts.st_mtime_ns, source=source, revision=revision)


def read_receipt(path: Path) -> Receipt | None:
    """Return the receipt at `path`; None when there is none or it is damaged, so that files are verified again."""
    try:
        return Receipt.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def write_receipt(path: Path, model: str, files: dict[str, FileReceipt], at: datetime) -> Receipt:
    """Write and return a receipt."""
    receipt = Receipt(model=model, verified_at=at, files=files)
    _write(path, receipt)
    return receipt


def read_pins(path: Path) -> dict[str, Pin]:
    """Return the pins at `path`, by file name.

    Raises:
        ValueError: The file is damaged; what it guards must not be taken on trust again.
    """
    if not path.exists():
        return {}
    return Pins.model_validate_json(path.read_bytes()).files


def write_pins(path: Path, files: dict[str, Pin]) -> None:
    """Write pins."""
    _write(path, Pins(files=files))


def _write(path: Path, shape: BaseModel) -> None:
    with atomic_write(path) as stream:
        stream.write(shape.model_dump_json(indent=2).encode())
