"""Tools of several sources become one registry; what cannot be used is named and hides nothing."""

from collections.abc import Sequence

import anyio
import pytest

from ourcli.common.errors import OurcliError, PluginError, ToolClashError
from ourcli.testing.tools import FakeTool, a_spec
from ourcli.tools.gathering import NamedSource, gather
from ourcli.tools.ports import Tool
from ourcli.tools.spec import Origin, OriginKind
from tests.promises import promise

pytestmark = pytest.mark.anyio


class Scripted:
    """A source that answers, fails or never does."""

    def __init__(self, *tools: Tool, failure: OurcliError | None = None, hangs: bool = False) -> None:
        self._tools, self._failure, self._hangs = tools, failure, hangs

    async def tools(self) -> Sequence[Tool]:
        if self._hangs:
            await anyio.sleep_forever()
        if self._failure is not None:
            raise self._failure
        return self._tools

    async def problems(self) -> Sequence[str]:
        return ()


def a_tool(name: str, kind: OriginKind, place: str) -> FakeTool:
    return FakeTool(a_spec(name, origin=Origin(kind=kind, name=name.partition(".")[0], place=place)))


@promise("tools.sources.independent")
async def test_a_source_that_fails_or_never_answers_hides_no_other() -> None:
    sources = [
        NamedSource(name="plugins", source=Scripted(FakeTool(a_spec()))),
        NamedSource(name="broken", source=Scripted(failure=PluginError("it is broken"))),
        NamedSource(name="dead", source=Scripted(hangs=True)),
    ]

    found = await gather(sources, most_s=0.01)

    assert [tool.spec().name for tool in found.registry] == ["hello.hello"]
    assert found.problems == ("broken: it is broken", "dead did not name its tools within 0.01 s")


@promise("tools.registry.clash")
async def test_of_two_sources_with_one_name_neither_is_used_and_both_are_named() -> None:
    plugin, server = a_tool("a.run", OriginKind.PLUGIN, "/p/a"), a_tool("A.run", OriginKind.MCP, "a-server")

    found = await gather([NamedSource(name="one", source=Scripted(plugin, server, FakeTool(a_spec())))])

    (problem,) = found.problems
    assert ("plugin:a in '/p/a'" in problem, "mcp:A in 'a-server'" in problem) == (True, True)
    assert len(found.registry) == 1
    with pytest.raises(ToolClashError, match=r"/p/a.*a-server"):
        found.registry.get("a.run")


@promise("tools.registry.clash")
async def test_nobody_can_take_a_built_in_tools_name() -> None:
    own, stranger = a_tool("fs.read", OriginKind.BUILTIN, ""), a_tool("fs.read", OriginKind.MCP, "a-server")

    found = await gather([NamedSource(name="one", source=Scripted(stranger, own))])

    assert found.registry.get("fs.read") is own
    assert "a-server" in found.problems[0]
