"""All tools by name."""

import difflib
from collections.abc import Iterable, Iterator

from ourcli.common.errors import NotFoundError, ToolClashError
from ourcli.tools.ports import Tool


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
        for tool in tools:
            self.add(tool)

    def add(self, tool: Tool) -> None:
        """Take one more tool.

        Raises:
            ToolClashError: Its name is taken; the message names both places.
        """
        spec = tool.spec()
        taken = self._folded.get(spec.name.casefold())
        if taken is not None:
            first, second = self._tools[taken].spec().origin, spec.origin
            raise ToolClashError(
                f"two tools are called {spec.name!r}: one of {first} in {first.place!r}, "
                f"one of {second} in {second.place!r}",
                hint="remove or rename one of them",
            )
        self._tools[spec.name] = tool
        self._folded[spec.name.casefold()] = spec.name

    def get(self, name: str) -> Tool:
        """Return the tool called `name`.

        Raises:
            NotFoundError: There is none; the hint holds the nearest name.
        """
        if name in self._tools:
            return self._tools[name]
        near = difflib.get_close_matches(name, self._tools, n=1)
        raise NotFoundError(
            f"no tool {name[:120]!r}", hint=f"did you mean {near[0]!r}?" if near else "`ourcli tools list` shows them"
        )

    def __iter__(self) -> Iterator[Tool]:
        return (self._tools[name] for name in sorted(self._tools))

    def __len__(self) -> int:
        return len(self._tools)
