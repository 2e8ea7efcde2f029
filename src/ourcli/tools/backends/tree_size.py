"""How large a tree of files is: what quotas are measured by."""

import os
from pathlib import Path

from ourcli.common.errors import ToolError


def tree_bytes(path: Path) -> int:
    """Return the sum of the sizes of all files below `path`; links are not followed, what is gone counts nothing.

    Raises:
        ToolError: A folder of it cannot be read, so its size is not known.
    """

    def give_up(exc: OSError) -> None:
        if not isinstance(exc, FileNotFoundError):
            raise ToolError(f"cannot measure {str(path)!r}: {exc.strerror or exc}", hint="check its permissions")

    if path.is_file():
        return path.lstat().st_size
    total = 0
    for folder, _inside, files in os.walk(path, onerror=give_up):
        for name in files:
            try:
                total += os.lstat(Path(folder) / name).st_size
            except FileNotFoundError:
                continue  # somebody removed it while we looked
    return total
