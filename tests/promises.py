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

RELEASE: dict[str, str] = {
    "release.house.promises": "every promise has a test and every claim of a test is a promise",
    "release.house.shape": "files, functions, branches and parameters stay within the limits of CONTRIBUTING.md",
    "release.house.walls": "rooms import downwards only and native libraries stay in backends; a breach is caught",
    "release.repository.clean": "nothing committed is heavy, names a package index or a path of one machine",
    "release.requirements.hashed": "every requirement, the build backend's too, is pinned and carries hashes",
    "release.tests.loopback-only": "a test that looks up, dials or writes to another machine fails, and nothing is sent",
    "release.tests.no-silent-skip": "where skips are forbidden, a skipped test fails the run",
}

PROMISES: dict[str, str] = CLI | CONFIG | AI | MEMORY | CORE | SCHEDULER | OBSERVABILITY | RELEASE
