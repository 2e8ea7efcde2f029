"""A process that writes, deletes and flushes until it is killed.

    python -m tests.support.journal_writer FOLDER NAME SEED

Before each change it prints `begin <id> <text or nothing>`, after its acknowledgement `done`.
"""

import random
import sys
from dataclasses import dataclass
from pathlib import Path

import anyio

from ourcli.common.ids import RecordId
from ourcli.memory.backends.journaled_store import JournaledStore, Limits, open_journaled
from ourcli.memory.layers import Layer
from tests.support.records import a_record, axis

IDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A change that was begun: `text` is None for a deletion."""

    id: str
    text: str | None
    acknowledged: bool


def told(lines: list[str]) -> list[Begun]:
    """Return what the process said, the last change perhaps not acknowledged."""
    begun: list[Begun] = []
    for line in lines:
        words = line.rstrip("\n").split(" ", 2)
        if words[0] == "begin" and line.endswith("\n"):
            begun.append(Begun(id=words[1], text=words[2] or None, acknowledged=False))
        elif line == "done\n":
            last = begun.pop()
            begun.append(Begun(id=last.id, text=last.text, acknowledged=True))
    return begun


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def change(store: JournaledStore, name: str, chance: random.Random, step: int) -> None:
    """Change one record and say so."""
    record_id = f"{name}-{chance.randrange(IDS)}"
    text = "" if chance.random() < 0.3 else f"{name} step {step}"
    say(f"begin {record_id} {text}")
    if text:
        record = a_record(text, id=RecordId(record_id), layer=chance.choice(list(Layer)))
        await store.upsert([record], axis(step % 384))
    else:
        await store.delete([record_id])
    say("done")


async def main(folder: str, name: str, seed: str) -> None:
    """Go on until killed."""
    chance = random.Random(seed)
    store = await open_journaled(Path(folder), Limits(rows=6))
    step = 0
    while True:
        step += 1
        await change(store, name, chance, step)
        if chance.random() < 0.1:
            await store.flush()


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], sys.argv[3])
