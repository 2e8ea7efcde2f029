"""What the host tells a worker, and what the worker reports: lines on two pipes of their own.

The guest's own stdin, stdout and stderr are the worker's: no byte of them passes through Python in the worker, except
in fresh mode, where each instance has a pipe as its stdin: the worker writes the question (one line of its own stdin)
and then what the host answers to the guest's requests, and closes it when the host has what it wanted.

A worker imports this file and nothing of the library that costs time (`dataclasses`, `json`, `typing`), since a call
waits for its start. So orders are plain classes and travel as `marshal` has them, which one interpreter writes and
the same one reads; reports travel as five fields with tabs between, which the host reads with care.
"""

import marshal

COMPILE = "compile"
PERSISTENT = "persistent"
FRESH = "fresh"
INTERRUPT = b"interrupt\n"
ANSWER = b"answer"
"""Before the number of a question and a line for the instance that works on it."""
END_OF_INPUT = b"end"
"""Before the number of a question; its instance has nothing more to read."""

MODULE = "module"
COMPONENT = "component"

READY = "ready"
ENDED = "ended"
FAILED = "failed"

SETTINGS = "3"
"""Changes with every change of the engine's settings that changes compiled code."""
TABLE_ELEMENTS = 100_000
STACK_BYTES = 512 * 1024
FILE_BYTES = 64 * 1024 * 1024
"""No file grows larger through a guest."""


class Preopen:
    """A folder that the guest sees.

    Args:
        path: Where it is on the host.
        writable: The guest may change what is in it.
        name: Under which path the guest sees it; "" for the one on the host.
    """

    __slots__ = ("name", "path", "writable")

    def __init__(self, *, path: str, writable: bool, name: str = "") -> None:
        self.path, self.writable, self.name = path, writable, name or path


class Orders:
    """What a worker is for; it is told once, before anything of the guest is touched.

    Args:
        task: `compile`: write the compiled module to stdout and end. `persistent`: one instance that reads questions
            until it ends. `fresh`: an instance a line of stdin.
        kind: `module` or `component`.
        memory_bytes: Each linear memory of an instance, at most.
        fuel: Instructions of an instance, at most; None does not count them.
        preopens: Folders that are granted.
        environment: Variables that are granted.
        arguments: What the guest finds as its command line.
    """

    __slots__ = (
        "arguments",
        "environment",
        "fuel",
        "kind",
        "memory_bytes",
        "preopens",
        "task",
    )

    def __init__(
        self,
        *,
        task: str,
        memory_bytes: int,
        kind: str = MODULE,
        fuel: int | None = None,
        preopens: tuple[Preopen, ...] = (),
        environment: tuple[tuple[str, str], ...] = (),
        arguments: tuple[str, ...] = ("plugin",),
    ) -> None:
        self.task, self.kind, self.memory_bytes, self.fuel = task, kind, memory_bytes, fuel
        self.preopens, self.environment, self.arguments = preopens, environment, arguments


class Report:
    """What a worker says.

    Args:
        what: `ready`; `ended`: an instance ended; `failed`: the module cannot be used here.
        why: How it ended or what failed, a word: `exit`, `interrupt`, `out_of_fuel`, `stack_overflow`, `trap`, ...
        detail: More for people; words of the engine.
        code: With which code the instance left, for `exit`.
        guards: What holds the worker in, when it is ready.
    """

    __slots__ = ("code", "detail", "guards", "what", "why")

    def __init__(
        self, *, what: str, why: str = "", detail: str = "", code: int = 0, guards: tuple[str, ...] = ()
    ) -> None:
        self.what, self.why, self.detail, self.code, self.guards = what, why, detail, code, guards


def write_orders(orders: Orders) -> bytes:
    """Return orders as a line."""
    fields = {name: getattr(orders, name) for name in Orders.__slots__}
    fields["preopens"] = [(one.path, one.writable, one.name) for one in orders.preopens]
    return marshal.dumps(fields).hex().encode() + b"\n"


def read_orders(line: bytes) -> Orders:
    """Return the orders of a line that the host wrote."""
    fields = marshal.loads(bytes.fromhex(line.decode()))  # noqa: S302  # the worker's own host wrote it
    opened = [Preopen(path=path, writable=writable, name=name) for path, writable, name in fields["preopens"]]
    return Orders(**{**fields, "preopens": tuple(opened)})


def write_report(report: Report) -> bytes:
    """Return a report as a line."""
    detail = " ".join(report.detail.split())
    fields = (report.what, report.why, str(report.code), ",".join(report.guards), detail)
    return "\t".join(fields).encode("utf-8", "replace") + b"\n"


def read_report(line: bytes) -> Report:
    """Return the report of a line.

    Raises:
        ValueError: It is none; a worker that was taken over could write anything.
    """
    what, why, code, guards, detail = line.decode("utf-8", "replace").split("\t")
    if what not in (READY, ENDED, FAILED) or len(code) > 11:
        raise ValueError("no report")
    names = tuple(name[:64] for name in guards.split(",")[:16] if name)
    return Report(what=what, why=why[:64], detail=detail[:500], code=int(code), guards=names)
