"""The guide of plugins, run from its first command to its last, in a shell as a reader would.

The one program that stands in for another is `wasmtime`: the same runtime through its Python API.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, absent, snippets
from tests.promises import promise

PAGE = ROOT / "docs" / "guide" / "plugins.md"
WASMTIME = '#!/bin/sh\ncd {root} && exec {python} -m tests.support.bare_wasi {folder}/"$2"\n'


@pytest.fixture
def environment(tmp_path: Path, home: Path) -> dict[str, str]:
    """Return an environment in which `python`, `ourcli` and `wasmtime` are those of this suite."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (programs / "ourcli").write_text(f'#!/bin/sh\nexec {sys.executable} -m ourcli "$@"\n')
    (programs / "wasmtime").write_text(WASMTIME.format(root=ROOT, python=sys.executable, folder=tmp_path))
    for program in programs.iterdir():
        program.chmod(0o755)
    return {**os.environ, "OURCLI_HOME": str(home), "PATH": f"{programs}:{os.environ['PATH']}", "LANG": "C.UTF-8"}


@promise("tools.plugins.guide")
def test_every_command_of_the_plugin_guide_works_and_prints_what_it_shows(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    if find_spec("ziglang") is None:
        pytest.skip("no compiler of C: python -m pip install ziglang")
    wrong = []
    told = snippets(PAGE.read_text("utf-8"))

    for snippet in told:
        done = subprocess.run(
            ["sh", "-c", snippet.command], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
        )
        said = done.stdout + done.stderr
        # a command that is meant to fail shows the error as what it prints
        if done.returncode and not any(line.startswith("error: ") for line in snippet.expected):
            wrong.append(f"$ {snippet.command}\nended with {done.returncode}\n{said}")
        wrong += [f"$ {snippet.command}\nno line like: {line}\n{said}" for line in absent(snippet.expected, said)]

    assert len(told) > 15
    assert not wrong, "\n".join(wrong)
