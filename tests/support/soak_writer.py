"""A process that adds, moves, forgets, searches, flushes and compacts until it is killed.

    python -m tests.support.soak_writer FOLDER NAME SEED STATE

STATE is what it knows of its own records, as JSON. Before each deed it prints it, after its acknowledgement `done`.
"""

import json
import random
import sys
from itertools import count
from pathlib import Path

import anyio

from ourcli.common.errors import StoreConflictError
from ourcli.memory.backends.journaled_store import JournaledStore, Limits, open_journaled
from ourcli.memory.layers import Layer
from tests.support.deeds import Deed, State, assert_found, do, draw, move

SHARED = ("shared-0", "shared-1")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def contend(store: JournaledStore, entry: str, chance: random.Random) -> None:
    """Move a record that the other processes move too; one of them may be faster."""
    deed = Deed(kind="move", ids=(chance.choice(SHARED),), layer=chance.choice(list(Layer)), entry=entry)
    try:
        await move(store, deed)
    except StoreConflictError:
        return


async def main(folder: str, name: str, seed: str, known: str) -> None:
    """Go on until killed."""
    chance = random.Random(seed)
    state = State(records={key: (text, Layer(layer)) for key, (text, layer) in json.loads(known).items()})
    store = await open_journaled(Path(folder), Limits(rows=6, direct=5))
    for step in count():
        tag = f"{seed}x{step}"
        deed = draw(chance, name, tag, state)
        say(deed.line())
        await do(store, deed)
        say("done")
        words = {text for text, _ in (*state.records.values(), *state.after(deed).records.values())}
        state = state.after(deed)
        if chance.random() < 0.3:
            await assert_found(store, state, words)
        if chance.random() < 0.2:
            await contend(store, f"contended-{name}-{tag}", chance)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4])
