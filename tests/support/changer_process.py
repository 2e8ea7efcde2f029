"""Change a file through the real code and die in the middle.

Run as `python -m tests.support.changer_process FOLDER HOME WHERE`.

WHERE names the step that is not reached any more.
"""

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from ourcli.common.clock import SystemClock
from ourcli.tools.backends.builtin import changing
from ourcli.tools.backends.builtin.changing import Author, FileChanger, place_of
from ourcli.tools.backends.undo_store import UndoStore


def die(*_: object, **__: object) -> NoReturn:
    """End at once, as kill -9 ends a process."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def main() -> None:
    """Do it."""
    folder, home, where = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    store = UndoStore(home / "undo", SystemClock())
    if where == "before the row":
        store.begin = die  # type: ignore[method-assign]  # the kill
    elif where == "after the row":
        changing._write = die
    elif where == "before the rename":
        changing._check_unchanged = die
    elif where == "after the rename":
        store.finish = die  # type: ignore[method-assign]  # the kill
    place = place_of(str(folder / "file.txt"))
    FileChanger(store).change(place, lambda _old: b"after\n", Author(tool="fs.write"))


if __name__ == "__main__":
    main()
