"""Every promise has a test that proves it, and every test that claims a promise names one that was made."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.promises import PROMISES, promise

TESTS = Path(__file__).resolve().parent
ROOMS = {
    *("ai", "cli", "config", "core", "memory", "observability"),
    *("release", "scheduler", "servers", "tools", "tui"),
}


def claims() -> Iterator[tuple[str, str]]:
    """Yield each promise that a test claims, with the file that claims it."""
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for decorator in node.decorator_list:
                    yield from ((identifier, str(path.relative_to(TESTS))) for identifier in _ids(decorator))


def _ids(decorator: ast.expr) -> Iterator[str]:
    if not isinstance(decorator, ast.Call) or ast.unparse(decorator.func).rpartition(".")[2] != "promise":
        return
    for argument in decorator.args:
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            raise TypeError(f"line {decorator.lineno}: a promise is named by a plain string")
        yield argument.value


@promise("release.house.promises")
def test_every_promise_has_a_test() -> None:
    assert sorted(set(PROMISES) - {identifier for identifier, _ in claims()}) == []


@promise("release.house.promises")
def test_every_claim_is_a_promise() -> None:
    assert sorted(f"{path}: {identifier}" for identifier, path in claims() if identifier not in PROMISES) == []


def test_every_id_begins_with_a_room_and_is_said_in_words() -> None:
    assert [key for key, words in PROMISES.items() if key.partition(".")[0] not in ROOMS or " " not in words] == []


def test_no_id_is_given_twice() -> None:
    tree = ast.parse((TESTS / "promises.py").read_text(encoding="utf-8"))
    keys = [
        key.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    ]
    assert sorted({key for key in keys if keys.count(key) > 1}) == []
