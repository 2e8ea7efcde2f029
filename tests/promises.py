"""Everything ourcli promises, in plain words, by id. `tests/test_promises.py` checks both directions:
every promise has a test that carries `@promise(id)`, and every id that a test carries stands here.

The first word of an id is the room that keeps the promise.
"""

from collections.abc import Callable
from typing import TypeVar

import pytest

_Test = TypeVar("_Test", bound=Callable[..., object])


def promise(identifier: str) -> Callable[[_Test], _Test]:
    """Mark a test as the proof of a promise."""
    if identifier not in PROMISES:
        raise KeyError(f"no such promise: {identifier!r}; add it to tests/promises.py")
    mark = pytest.mark.promise(identifier)

    def decorate(test: _Test) -> _Test:
        marked: _Test = mark(test)
        return marked

    return decorate


CLI = {
    "cli.start.light": "`--help` and `--version` load no heavy module",
}

CONFIG: dict[str, str] = {}

AI: dict[str, str] = {}

MEMORY: dict[str, str] = {}

CORE: dict[str, str] = {}

SCHEDULER: dict[str, str] = {}

OBSERVABILITY: dict[str, str] = {}

RELEASE: dict[str, str] = {}

PROMISES: dict[str, str] = CLI | CONFIG | AI | MEMORY | CORE | SCHEDULER | OBSERVABILITY | RELEASE
