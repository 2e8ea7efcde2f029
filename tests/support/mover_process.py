"""A process that moves records.

    python -m tests.support.mover_process FOLDER apply        waits for a line, applies the shipped rules once
    python -m tests.support.mover_process FOLDER SEED         moves at random until it is killed

It says `ready` when the memory is open, and `moved` after every move.
"""

import random
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import anyio

from ourcli.common.errors import InvalidInputError, NotFoundError, StoreConflictError
from ourcli.memory.backends.journaled_store import Limits
from ourcli.memory.layers import Layer
from ourcli.memory.lifecycle.service import Lifecycle
from ourcli.memory.query import Filter
from tests.support.lifecycle import DAY, World, open_world
from tests.support.records import NOON


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def apply(world: World) -> None:
    """Apply the rules once told to."""
    say("ready")
    sys.stdin.readline()
    applied = await world.lifecycle().apply(NOON + 2 * DAY)
    say(f"{len(applied.entries)} {len(applied.skipped)}")


async def move(world: World, lifecycle: Lifecycle, chance: random.Random) -> None:
    """Do one thing to whatever is there, or take one back."""
    records = await world.store.fetch(Filter())
    choice = chance.random()
    if choice < 0.3 or not records:
        entries = await lifecycle.history(limit=8)
        if entries:
            await lifecycle.undo(chance.choice(entries).id)
    elif choice < 0.6:
        await lifecycle.promote(chance.choice(records).id, chance.choice(list(Layer)))
    else:
        await lifecycle.apply(NOON + timedelta(days=chance.choice([2, 100, 200])))


async def move_on(world: World, seed: str) -> None:
    """Go on until killed."""
    chance = random.Random(seed)
    lifecycle = world.lifecycle()
    say("ready")
    while True:
        try:
            await move(world, lifecycle, chance)
        except (InvalidInputError, NotFoundError, StoreConflictError):  # refused; the other one may have expired it
            continue
        say("moved")


async def main(arguments: Sequence[str]) -> None:
    """Do what the words say."""
    folder, what = arguments
    async with open_world(Path(folder), Limits(rows=6)) as world:
        await (apply(world) if what == "apply" else move_on(world, what))


if __name__ == "__main__":
    anyio.run(main, sys.argv[1:])
