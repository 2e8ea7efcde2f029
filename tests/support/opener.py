"""A process that opens a store, says so, and ends.

python -m tests.support.opener FOLDER
"""

import sys
from contextlib import aclosing
from pathlib import Path

import anyio

from ourcli.memory.backends.journaled_store import open_journaled
from ourcli.memory.query import Filter


async def main(folder: str) -> None:
    """Print how many records there are."""
    async with aclosing(await open_journaled(Path(folder))) as store:
        sys.stdout.write(f"{len(await store.fetch(Filter()))}\n")


if __name__ == "__main__":
    anyio.run(main, sys.argv[1])
