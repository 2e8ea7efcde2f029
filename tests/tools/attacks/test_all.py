"""The whole: how many attacks are tried, and that no guest holds one that nobody tries."""

import re
from pathlib import Path

from tests.promises import promise
from tests.support.arena import GUESTS, Attack
from tests.tools.attacks import test_computing, test_files, test_memory, test_output, test_wire

FEWEST = 40
TABLES: list[Attack] = [
    *(*test_computing.ATTACKS, *test_memory.ATTACKS, *test_output.ATTACKS),
    *(*test_wire.NO_JSON, *test_wire.NO_MESSAGE, *test_wire.NOT_ASKED),
    *(*test_files.READS, *test_files.WRITES, *test_files.LINKS),
]


def words_of(guest: Path) -> set[str]:
    """Return what a guest can do, from the table at its end."""
    return set(re.findall(r'^    {"([a-z-]+)", \w+},$', guest.read_text(encoding="utf-8"), re.MULTILINE))


@promise("tools.attacks.all")
def test_many_different_attacks_of_real_guests_are_tried() -> None:
    tried = {(one.guest, one.word, one.path) for one in TABLES}

    assert len(tried) >= FEWEST
    assert all(one.word in words_of(GUESTS / f"{one.guest}.c") for one in TABLES)
    assert all(one.told for one in TABLES), "each says what the user is told"


@promise("tools.attacks.all")
def test_every_attack_that_a_guest_holds_is_tried_by_some_test() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))

    unused = {word for guest in GUESTS.glob("*.c") for word in words_of(guest) if f'"{word}"' not in tests}

    assert unused == set()
