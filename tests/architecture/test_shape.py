"""The shape of the code: short files and functions, few branches and parameters, imports that give reasons."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.architecture import shape
from tests.promises import promise

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("src", "tests", "benchmarks", "tools")

Rule = Callable[[shape.Source], Iterator[str]]

SIZES: list[Rule] = [shape.long_files, shape.long_functions, shape.tangled_functions]
HABITS: list[Rule] = [
    shape.unexplained_deferred_imports,
    shape.unexplained_broad_excepts,
    shape.careless_ignores,
    shape.heavy_init,
]

# Where everything may be caught: the edges of a process, of a request, of trust. One line each says which edge.
MAY_CATCH_ALL: dict[str, str] = {
    "src/ourcli/ai/backends/tokenizer.py": "a native library that raises nothing more precise; translated on the spot",
    "src/ourcli/cli/main.py": "the edge of the process: every failure becomes an exit code",
    "src/ourcli/memory/backends/documents.py": "foreign readers of strange files: whatever they raise, it is broken",
    "src/ourcli/core/executor.py": "a step's handler: its bug fails the step and not the run",
    "src/ourcli/tools/backends/mcp/peer.py": "a server's connection: whatever broke it is told to whoever calls",
    "src/ourcli/servers/mcp/refusals.py": "a server's request: its bug ends it and not the server, and goes to the log",
}


def sources(*folders: str) -> list[shape.Source]:
    """Parse every Python file of these folders."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return [shape.Source(path.relative_to(ROOT), path.read_text(encoding="utf-8")) for path in paths]


def faults(rule: Rule, *folders: str) -> list[str]:
    """Return what a rule finds in these folders, exempted files left out."""
    return [fault for source in sources(*folders) if not source.exempt for fault in rule(source)]


@promise("release.house.shape")
@pytest.mark.parametrize("rule", SIZES, ids=lambda rule: rule.__name__)
def test_files_and_functions_stay_small(rule: Rule) -> None:
    assert faults(rule, *FOLDERS) == []


@promise("release.house.shape")
@pytest.mark.parametrize("rule", HABITS, ids=lambda rule: rule.__name__)
def test_the_product_keeps_its_habits(rule: Rule) -> None:
    assert faults(rule, "src") == []


@promise("release.house.shape")
def test_functions_take_little_by_position() -> None:
    assert faults(shape.wide_functions, "src", "benchmarks", "tools") == []  # a test's parameters are fixtures, by name


def test_only_the_module_that_owns_stdout_prints() -> None:
    found = [fault for fault in faults(shape.prints, "src") if not fault.startswith("src/ourcli/cli/output.py")]
    assert found == []


def test_everything_is_caught_only_at_the_edges_that_are_listed() -> None:
    found = {str(source.path) for source in sources("src") if list(shape.broad_excepts(source))}
    assert found == set(MAY_CATCH_ALL)


def test_processes_and_sockets_are_opened_in_backends_only() -> None:
    found = [fault for fault in faults(shape.processes_and_sockets, "src") if "/backends/" not in fault]
    assert found == []


BAD: list[tuple[Rule, str]] = [
    (shape.long_files, "x = 1\n" * 401),
    (shape.long_functions, "def f():\n" + "    x = 1\n" * 40),
    (shape.tangled_functions, "def f(a):\n" + "    if a:\n        a()\n" * 10),
    (shape.tangled_functions, "def f(a):\n    return [" + ", ".join(["a if a else 1"] * 10) + "]"),
    (shape.wide_functions, "def f(a, b, c, d, e, f): ..."),
    (shape.unexplained_deferred_imports, "def f():\n    import json\n"),
    (shape.unexplained_deferred_imports, "def f():\n    import json  # noqa: PLC0415\n"),
    (shape.unexplained_broad_excepts, "try:\n    f()\nexcept (OSError, Exception):\n    raise\n"),
    (shape.broad_excepts, "try:\n    f()\nexcept:\n    raise\n"),
    (shape.careless_ignores, "x = 1  # type: " + "ignore\n"),
    (shape.careless_ignores, "x = 1  # type: " + "ignore[misc]\n"),
    (shape.prints, "print(1)"),
    (shape.processes_and_sockets, "import os\nos.system('x')"),
    (shape.processes_and_sockets, "from asyncio import open_connection"),
    (shape.heavy_init, "x = 1"),
    (shape.heavy_init, '"""Words."""\nimport json'),
]


@pytest.mark.parametrize(("rule", "text"), BAD)
def test_each_rule_finds_the_fault_it_is_for(rule: Rule, text: str) -> None:
    assert list(rule(shape.Source(Path("src/ourcli/room/__init__.py"), text)))


GOOD: list[tuple[Rule, str]] = [
    (shape.long_functions, 'def f():\n    """' + "Words.\n" * 50 + '"""\n    return 1\n'),
    (shape.wide_functions, "class C:\n    def f(self, a, b, c, d, e, *, f): ..."),
    (shape.unexplained_deferred_imports, "def f():\n    import lancedb  # deferred: costs a second\n"),
    (shape.careless_ignores, "x = 1  # type: " + "ignore[misc]  # the stub is wrong\n"),
    (shape.unexplained_deferred_imports, "def f():\n    import json  # deferred: only bugs need it\n    import ast\n"),
    (shape.unexplained_broad_excepts, "try:\n    f()\nexcept Exception:  # the edge of the process\n    raise\n"),
    (shape.heavy_init, '"""Words."""'),
]


@pytest.mark.parametrize(("rule", "text"), GOOD)
def test_no_rule_finds_fault_with_what_is_allowed(rule: Rule, text: str) -> None:
    assert list(rule(shape.Source(Path("src/ourcli/room/__init__.py"), text))) == []


def test_a_first_line_with_a_reason_exempts_a_file() -> None:
    assert shape.Source(Path("a.py"), "# shape: one table, read as one\n").exempt
    assert not shape.Source(Path("a.py"), "# shape:\n").exempt
