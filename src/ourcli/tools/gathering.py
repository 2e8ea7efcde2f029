"""Bring the tools of all sources together: none blocks the others, and what cannot be used is named."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import anyio

from ourcli.common.errors import OurcliError
from ourcli.tools.ports import Tool, ToolSource
from ourcli.tools.registry import Registry

SOURCE_S: Final = 10.0
"""A source that needs longer to name its tools is left out and told about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSource:
    """A source of tools, and what it is called in messages."""

    name: str
    source: ToolSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """All tools that can be used, and a line for each thing that cannot."""

    registry: Registry
    problems: tuple[str, ...]


async def gather(sources: Sequence[NamedSource], *, most_s: float = SOURCE_S) -> Gathered:
    """Ask all sources at once and return one registry over them.

    Tools whose names clash are left out and named with both places, but built-in tools keep theirs. A source that
    fails or takes longer than `most_s` is a problem and hides no other.
    """
    tools: list[Sequence[Tool]] = [()] * len(sources)
    problems: list[Sequence[str]] = [()] * len(sources)

    async def ask(place: int, one: NamedSource) -> None:
        try:
            with anyio.move_on_after(most_s) as limit:
                tools[place] = await one.source.tools()
                problems[place] = await one.source.problems()
        except OurcliError as exc:
            problems[place] = (f"{one.name}: {exc.message}",)
        if limit.cancelled_caught:
            problems[place] = (f"{one.name} did not name its tools within {most_s:g} s",)

    async with anyio.create_task_group() as tasks:
        for place, one in enumerate(sources):
            tasks.start_soon(ask, place, one)
    registry = Registry.without_clashes([tool for some in tools for tool in some])
    told = [line for some in problems for line in some]
    return Gathered(registry=registry, problems=(*told, *(error.message for error in registry.clashes)))
