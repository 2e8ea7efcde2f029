"""All tools by name."""

import difflib
from collections.abc import Iterable, Iterator, Sequence

from ourcli.common.errors import NotFoundError, ToolClashError
from ourcli.tools.ports import Tool
from ourcli.tools.spec import OriginKind


class Registry:
    """Every tool that can be called, by its full name `plugin.tool`.

    Args:
        tools: The tools; each gives its spec once.

    Raises:
        ToolClashError: Two have one name, upper and lower case being the same.
    """

    def __init__(self, tools: Iterable[Tool] = ()) -> None:
        self._tools: dict[str, Tool] = {}
        self._folded: dict[str, str] = {}
        self._refused: dict[str, ToolClashError] = {}
        self.clashes: tuple[ToolClashError, ...] = ()
        for tool in tools:
            self.add(tool)

    @classmethod
    def without_clashes(cls, tools: Iterable[Tool]) -> "Registry":
        """Return a registry of the tools whose name nobody else has; `clashes` tells of the others.

        A built-in tool keeps its name, for strangers must not be able to take it away. A name that is left out is
        answered with the clash when it is asked for.
        """
        named: dict[str, list[Tool]] = {}
        for tool in tools:
            named.setdefault(tool.spec().name.casefold(), []).append(tool)
        registry, clashes = cls(), []
        for name, some in named.items():
            own = [tool for tool in some if tool.spec().origin.kind is OriginKind.BUILTIN]
            kept = some if len(some) == 1 else own if len(own) == 1 else []
            for tool in kept:
                registry.add(tool)
            if len(some) > 1:
                clashes.append(_clash(some))
            if not kept:
                registry._refused[name] = clashes[-1]
        registry.clashes = tuple(clashes)
        return registry

    def add(self, tool: Tool) -> None:
        """Take one more tool.

        Raises:
            ToolClashError: Its name is taken; the message names both places.
        """
        spec = tool.spec()
        taken = self._folded.get(spec.name.casefold())
        if taken is not None:
            raise _clash([self._tools[taken], tool])
        self._tools[spec.name] = tool
        self._folded[spec.name.casefold()] = spec.name

    def get(self, name: str) -> Tool:
        """Return the tool called `name`.

        Raises:
            NotFoundError: There is none; the hint holds the nearest name.
            ToolClashError: There are several, and so none was taken.
        """
        if name in self._tools:
            return self._tools[name]
        refused = self._refused.get(name.casefold())
        if refused is not None:
            raise ToolClashError(refused.message, hint=refused.hint)
        near = difflib.get_close_matches(name, self._tools, n=1)
        raise NotFoundError(
            f"no tool {name[:120]!r}", hint=f"did you mean {near[0]!r}?" if near else "`ourcli tools list` shows them"
        )

    def __iter__(self) -> Iterator[Tool]:
        return (self._tools[name] for name in sorted(self._tools))

    def __len__(self) -> int:
        return len(self._tools)


def _clash(tools: Sequence[Tool]) -> ToolClashError:
    origins = [tool.spec().origin for tool in tools]
    each = ", ".join(f"one of {origin} in {origin.place!r}" for origin in origins)
    many = "two" if len(tools) == 2 else str(len(tools))
    return ToolClashError(
        f"{many} tools are called {tools[-1].spec().name!r}: {each}", hint="remove or rename one of them"
    )
