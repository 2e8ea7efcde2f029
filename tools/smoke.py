"""Build a wheel and try it on every supported Python that is present besides the one that runs this.

On each: a fresh environment, the hashed requirements, the wheel, then the commands a user tries first.
`make smoke` runs this and names the folder of the models.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
FACT = "We decided to use a write-through cache with a 15 minute TTL"


def run(*command: str | Path, env: dict[str, str] | None = None) -> str:
    """Return what the command printed; leave with its errors when it fails."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, env=env, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise SystemExit(
            f"error: {' '.join(map(str, command))} left with {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def candidates(version: str) -> list[Path]:
    """Return where `version` may stand: on PATH, and where pyenv keeps versions that are not switched on."""
    found = [Path(folder) / f"python{version}" for folder in os.get_exec_path()]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path("~/.pyenv").expanduser()) / "versions"
    found += sorted(pyenv.glob(f"{version}.*/bin/python{version}"), reverse=True)
    return [path for path in found if path.is_file()]


def interpreter(version: str) -> Path | None:
    """Return a Python of `version` that really starts, or None; a shim may stand for nothing."""
    for path in candidates(version):
        asked = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if asked.returncode == 0 and f"Python {version}." in asked.stdout:
            return path
    return None


def pip(python: Path, *words: str | Path) -> None:
    """Run the pip of this environment for another one."""
    run(sys.executable, "-m", "pip", "--python", python, "--quiet", "--disable-pip-version-check", *words)


def build(folder: Path) -> Path:
    """Return the wheel, built without reaching for an index."""
    run(
        *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"),
        *("--wheel-dir", folder, ROOT),
    )
    return next(folder.glob("ourcli-*.whl"))


def try_out(python: Path, wheel: Path, folder: Path) -> None:
    """Install the wheel beside the hashed requirements and use it."""
    run(python, "-m", "venv", "--without-pip", folder / "venv")
    programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    inside = programs / ("python.exe" if os.name == "nt" else "python")
    hashed = ("--require-hashes", "--only-binary", ":all:")
    pip(inside, "install", *hashed, "-r", ROOT / "requirements" / "runtime.txt")
    pip(inside, "install", "--no-deps", "--no-index", wheel)
    ourcli = programs / ("ourcli.exe" if os.name == "nt" else "ourcli")
    env = {name: value for name, value in os.environ.items() if not name.startswith("OURCLI_")}
    env |= {"OURCLI_HOME": str(folder / "home"), "OURCLI_PATHS_MODELS": sys.argv[1]}
    run(ourcli, "--help", env=env)
    run(ourcli, "--version", env=env)
    run(ourcli, "memory", "add", FACT, env=env)
    if FACT not in run(ourcli, "memory", "search", "how long does the cache live", "--json", env=env):
        raise SystemExit(f"error: {python}: the search did not find what was added")


def main() -> None:
    """Try every Python that is present; leave with an error at the first that fails."""
    with tempfile.TemporaryDirectory(prefix="ourcli-smoke-") as scratch:
        wheel = build(Path(scratch))
        for version in VERSIONS:
            if version == f"{sys.version_info.major}.{sys.version_info.minor}":
                continue
            python = interpreter(version)
            if python is None:
                sys.stdout.write(f"python {version}: not here\n")
                continue
            with tempfile.TemporaryDirectory(prefix="ourcli-smoke-") as folder:
                try_out(python, wheel, Path(folder))
            sys.stdout.write(f"python {version}: works ({python})\n")


if __name__ == "__main__":
    main()
