"""Build the sample plugins of `plugins/` into `build/plugins/`, where ourcli finds them in its own source tree.

python tools/plugins.py                   build all; `hello` is the one in C
python tools/plugins.py --hello rust      the same, and `hello` is the one in Rust (go, js, python)
python tools/plugins.py --into FOLDER     build into another folder

Every `hello` is built, into `build/hello/LANGUAGE`, and the chosen one put with the others. What no compiler is there
for is named with the line that installs it. Nothing that did not change is built again.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.toolchains import CompilerMissingError, Recipe, recipe

__all__ = ["CompilerMissingError", "build", "build_source", "compile_c"]

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "plugins"
BUILT = ROOT / "build" / "modules"
LANGUAGES = ("c", "rust", "go", "js", "python")
TOOLS = ("text", "sqlite-query")
PINS = (ROOT / "requirements" / "dev.txt", ROOT / "requirements" / "languages.txt", ROOT / "requirements" / "npm.txt")
INSTALL_C = "python -m pip install ziglang"


def compile_c(source: Path, target: Path) -> None:
    """Compile one file of C to WebAssembly with WASI preview 1.

    Raises:
        CompilerMissingError: The compiler is not installed.
        subprocess.CalledProcessError: It does not compile; the compiler said why on stderr.
    """
    line = "python -m ziglang cc --target=wasm32-wasi -O2 -s -Wall -Wextra -Werror"
    words, environment = Recipe(install=INSTALL_C, build=line).command()
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([*words, "-o", str(target), str(source)], check=True, env=environment)


def build_source(source: Path, plugin: Path) -> Path:
    """Build the plugin whose manifest, source and README stand in `source` into the folder `plugin`; return that.

    Raises:
        CompilerMissingError: Its compiler is not installed; the message is the line that installs it.
        subprocess.CalledProcessError: It does not compile.
    """
    words, environment = recipe(source).command()
    kept = BUILT / _digest(source, words)
    if not kept.is_dir():
        BUILT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BUILT) as folder:
            work, done = Path(folder) / "work", Path(folder) / "done"
            shutil.copytree(source, work)
            subprocess.run(words, check=True, cwd=work, env=environment, stdout=subprocess.DEVNULL)
            done.mkdir()
            for path in (work / "manifest.json", *work.glob("*.wasm")):
                shutil.copyfile(path, done / path.name)
            _put(done, kept)
    shutil.copytree(kept, plugin, dirs_exist_ok=True)
    return plugin


def _put(done: Path, kept: Path) -> None:
    try:
        done.replace(kept)
    except OSError:
        if not kept.is_dir():  # another process built the same meanwhile
            raise


def _digest(source: Path, words: Sequence[str]) -> str:
    """Return a digest over all that a build depends on."""
    content = hashlib.sha256("\0".join(words).encode())
    for path in (*sorted(source.iterdir()), *PINS):
        if path.is_file():
            content.update(f"\0{path.name}\0".encode() + path.read_bytes())
    return content.hexdigest()[:32]


def build(name: str, folder: Path) -> Path:
    """Build one sample into `folder` and return the plugin's folder."""
    return build_source(SOURCES / name, folder / ("hello" if name.startswith("hello-") else name))


def main(arguments: Sequence[str]) -> int:
    """Build everything; return the exit code, 1 when what was asked for is not there."""
    parser = argparse.ArgumentParser(description="Build the sample plugins.")
    parser.add_argument("--hello", choices=LANGUAGES, default="c", help="the language of `hello`")
    parser.add_argument("--into", type=Path, default=ROOT / "build" / "plugins", help="the folder for the plugins")
    asked = parser.parse_args(arguments)
    lacking = []
    every = [(f"hello-{one}", ROOT / "build" / "hello" / one) for one in LANGUAGES]
    for name, folder in [*every, *((one, asked.into) for one in (f"hello-{asked.hello}", *TOOLS))]:
        try:
            print(f"built {build(name, folder)}")
        except CompilerMissingError as exc:
            print(f"not built: {name}; its compiler comes with: {exc}", file=sys.stderr)
            lacking.append(name)
    return 1 if f"hello-{asked.hello}" in lacking else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
