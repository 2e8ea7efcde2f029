"""What the host tells a worker, and what the worker reports: JSON lines on two pipes of their own.

The guest's own stdin, stdout and stderr are the worker's: no byte of them passes through Python in the worker, except
in fresh mode, where the worker reads the question (one line) from its stdin and gives it to the new instance.
"""

import json
from dataclasses import asdict, dataclass
from typing import Final

COMPILE: Final = "compile"
PERSISTENT: Final = "persistent"
FRESH: Final = "fresh"
INTERRUPT: Final = b"interrupt\n"

READY: Final = "ready"
ENDED: Final = "ended"
FAILED: Final = "failed"

SETTINGS: Final = "1"
"""Changes with every change of the engine's settings that changes compiled code."""
TABLE_ELEMENTS: Final = 100_000
STACK_BYTES: Final = 512 * 1024
FILE_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Preopen:
    """A folder that the guest sees under the path that it has on the host."""

    path: str
    writable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What a worker is for; it is told once, before anything of the guest is touched.

    Attributes:
        task: `compile`: write the compiled module to stdout and end. `persistent`: one instance that reads questions
            until it ends. `fresh`: an instance a line of stdin.
        memory_bytes: Linear memory of an instance, at most.
        fuel: Instructions of an instance, at most; None does not count them.
        preopens: Folders that are granted.
        environment: Variables that are granted.
        file_bytes: A file may grow to so many bytes.
    """

    task: str
    memory_bytes: int
    fuel: int | None = None
    preopens: tuple[Preopen, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    file_bytes: int = FILE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a worker says.

    Attributes:
        what: `ready`; `ended`: an instance ended; `failed`: the module cannot be used here.
        why: How it ended or what failed, a word: `exit`, `interrupt`, `out_of_fuel`, `stack_overflow`, `trap`, ...
        detail: More for people; words of the engine, never of the guest.
        code: With which code the instance left, for `exit`.
        guards: What holds the worker in, when it is ready.
    """

    what: str
    why: str = ""
    detail: str = ""
    code: int = 0
    guards: tuple[str, ...] = ()


def write_orders(orders: Orders) -> bytes:
    """Return orders as a line."""
    return json.dumps(asdict(orders)).encode() + b"\n"


def read_orders(line: bytes) -> Orders:
    """Return the orders of a line that the host wrote."""
    fields = json.loads(line)
    fields["preopens"] = tuple(Preopen(**one) for one in fields["preopens"])
    fields["environment"] = tuple((name, value) for name, value in fields["environment"])
    return Orders(**fields)


def write_report(report: Report) -> bytes:
    """Return a report as a line."""
    return json.dumps(asdict(report)).encode() + b"\n"


def read_report(line: bytes) -> Report:
    """Return the report of a line.

    Raises:
        ValueError: It is none; a worker that was taken over could write anything.
    """
    fields = json.loads(line)
    if not isinstance(fields, dict) or set(fields) != set(Report.__slots__):
        raise ValueError("no report")
    return Report(
        what=str(fields["what"]),
        why=str(fields["why"])[:64],
        detail=str(fields["detail"])[:500],
        code=int(fields["code"]),
        guards=tuple(str(one)[:64] for one in tuple(fields["guards"])[:16]),
    )
