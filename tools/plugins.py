"""Build the sample plugins of `plugins/` into `build/plugins/`, where ourcli finds them in its own source tree.

python tools/plugins.py            build all
python tools/plugins.py TARGET     build all into another folder
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "plugins"
INSTALL_C = "python -m pip install ziglang"
RECIPES: Mapping[str, str] = {"hello-c": "hello"}
"""Folder of the source, and the folder of the built plugin."""


class CompilerMissingError(Exception):
    """A compiler is not installed; the message says how to install it."""


def c_command(source: Path, target: Path) -> Sequence[str]:
    """Return the words that compile a file of C to WebAssembly with WASI preview 1."""
    flags = ("cc", "--target=wasm32-wasi", "-O2", "-s", "-Wall", "-Wextra", "-Werror")
    return (sys.executable, "-m", "ziglang", *flags, "-o", str(target), str(source))


def compile_c(source: Path, target: Path) -> None:
    """Compile one file of C.

    Raises:
        CompilerMissingError: The compiler is not installed.
        subprocess.CalledProcessError: It does not compile; the compiler said why on stderr.
    """
    from importlib.util import find_spec  # deferred: beside its one use

    if find_spec("ziglang") is None:
        raise CompilerMissingError(f"no compiler of C for WebAssembly: {INSTALL_C}")
    target.parent.mkdir(parents=True, exist_ok=True)
    # the compiler's own threads and caches; nothing else of the environment changes what is built
    subprocess.run(c_command(source, target), check=True, env=dict(os.environ))


def build(name: str, folder: Path) -> Path:
    """Build one sample into `folder` and return the plugin's folder."""
    source, plugin = SOURCES / name, folder / RECIPES[name]
    (code,) = source.glob("*.c")
    compile_c(code, plugin / f"{code.stem}.wasm")
    shutil.copyfile(source / "manifest.json", plugin / "manifest.json")
    return plugin


def main(arguments: Sequence[str]) -> int:
    """Build everything; return the exit code."""
    folder = Path(arguments[0]) if arguments else ROOT / "build" / "plugins"
    try:
        for name in RECIPES:
            print(f"built {build(name, folder)}")
    except CompilerMissingError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
