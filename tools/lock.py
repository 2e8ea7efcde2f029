"""Write `requirements/*.txt`: every release pinned, with the hash of each of its files.

One resolution covers Linux, macOS and Windows and every Python the project supports; what differs
between them carries an environment marker. No index address is written. `make lock` runs this.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
HEADER = "# Written by `make lock` from pyproject.toml; do not edit.\n"


def wanted() -> dict[str, list[str]]:
    """Return the direct requirements of each file, in the order in which they must be resolved."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    return {
        "runtime": project["project"]["dependencies"],
        "build": [*project["build-system"]["requires"], *groups["build"]],
        "dev": groups["dev"],
        "lock": groups["lock"],
        "languages": groups["languages"],
    }


def minimum_python() -> str:
    """Return the oldest Python that the project supports, e.g. `3.11`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = re.fullmatch(r">=(\d+\.\d+)", project["requires-python"])
    if found is None:
        raise SystemExit("error: requires-python must read `>=X.Y`")
    return found.group(1)


def resolve(requirements: list[str], constraints: list[Path]) -> str:
    """Return the pinned and hashed form of `requirements`, agreeing with the pins of `constraints`."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--universal", "--python-version", minimum_python()]
    command += ["--generate-hashes", "--fork-strategy", "fewest", "--only-binary", ":all:"]
    command += [
        "--no-emit-index-url",
        "--no-emit-find-links",
        "--no-emit-build-options",
        "--no-annotate",
        "--no-header",
    ]
    command += ["--no-config", "--upgrade", "--quiet", "-"]
    for path in constraints:
        command += ["--constraint", str(path)]
    done = subprocess.run(command, input="\n".join(requirements), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"error: the requirements cannot be resolved\n{done.stderr}")
    return done.stdout


def main() -> None:
    """Write each file; later ones agree with the pins of the earlier."""
    FOLDER.mkdir(exist_ok=True)
    written: list[Path] = []
    for name, requirements in wanted().items():
        path = FOLDER / f"{name}.txt"
        path.write_text(HEADER + resolve(requirements, written), encoding="utf-8", newline="\n")
        written.append(path)


if __name__ == "__main__":
    main()
