"""What a command loads before it knows what it must do, told by the names of modules and not by a clock."""

import os
import subprocess
import sys

import pytest

from tests.promises import promise

HEAVY = {
    "anyio",
    "asyncio",
    "huggingface_hub",
    "jsonschema",
    "kingfisher_sdk",
    "lancedb",
    "mcp",
    "numpy",
    "onnxruntime",
    "opentelemetry",
    "prompt_toolkit",
    "pyarrow",
    "pydantic",
    "rich",
    "ssl",
    "textual",
    "tokenizers",
    "wasmtime",
    "xllamacpp",
}

PROBE = """
import sys
from ourcli.__main__ import main
try:
    main()
finally:
    sys.stderr.write("\\n".join(sys.modules))
"""


@promise("cli.start.light")
@pytest.mark.parametrize(
    "words",
    [["--help"], ["--version"], ["memory", "--help"], ["ask", "--help"], ["tools", "--help"], ["mcp", "--help"]],
    ids=" ".join,
)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", PROBE, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert HEAVY & {name.partition(".")[0] for name in done.stderr.split()} == set()


def test_products_of_small_matrices_run_in_one_thread() -> None:
    words = f"{PROBE}    import os; print(os.environ['OPENBLAS_NUM_THREADS'])\n"
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", words, "--version"], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.splitlines()[-1] == "1"
