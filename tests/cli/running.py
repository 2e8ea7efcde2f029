"""The types of the fixture `run`."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Ran:
    """What a command line left behind."""

    code: int
    out: str
    err: str


class Run(Protocol):
    """Run a command line in this process: `run("ask", "why?", stdin="...")`."""

    def __call__(self, *arguments: str, stdin: str = "") -> Ran: ...
